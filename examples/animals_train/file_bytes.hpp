// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace animals {

using Bytes = std::vector<std::uint8_t>;
using ByteSpan = std::span<const std::uint8_t>;

/// The whole file. Throws failure for what is no ordinary file, cannot be read, or is larger than `most` bytes.
[[nodiscard]] Bytes read_bytes(const std::filesystem::path& path, std::uintmax_t most = std::uintmax_t{1} << 28U);

/// read_bytes as text.
[[nodiscard]] std::string read_text(const std::filesystem::path& path);

/// FNV-1a of the bytes, 64 bits.
[[nodiscard]] std::uint64_t content_hash(ByteSpan bytes) noexcept;

}  // namespace animals
