// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "file_bytes.hpp"

namespace animals {

/// What a file holds, told by its first bytes and never by its name.
enum class Kind { empty, jpeg, png, gif, webp, bmp, tiff, heif, zip, pdf, svg, html, git_lfs_pointer, text, unknown };

[[nodiscard]] Kind identify(ByteSpan bytes) noexcept;

/// "a GIF image", "an HTML page": fits into "the file is ...".
[[nodiscard]] std::string_view describe(Kind kind) noexcept;

}  // namespace animals
