// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "file_bytes.hpp"
#include "image.hpp"

namespace animals {

/// What two copies of one photograph have in common.
struct Fingerprint {
  std::uint64_t content = 0;                   ///< hash of the file
  std::array<std::uint64_t, 2> steps{};        ///< signs of the brightness steps on an 8x8 grid, across and down
  std::array<std::uint8_t, 3 * 8 * 8> tiny{};  ///< the picture at 8x8
};

[[nodiscard]] Fingerprint fingerprint(ByteSpan file, const Image& image);

/// Whether the pictures look the same: at most 14 of 128 steps differ in sign, and the 8x8 pictures differ by at most
/// 10 of 255 on average. Scaling and recompression change less; other photographs of a subject change more.
[[nodiscard]] bool look_alike(const Fingerprint& a, const Fingerprint& b) noexcept;

/// Samples that must stay together.
struct Groups {
  std::vector<Index> of;   ///< the group of each sample, numbered by first appearance
  Index count = 0;         ///< number of groups
  Index exact_copies = 0;  ///< files whose bytes equal those of an earlier file
  Index near_copies = 0;   ///< further files that look like an earlier file
};

/// Puts equal and alike pictures, and what is alike to those, into one group.
[[nodiscard]] Groups group_copies(const std::vector<Fingerprint>& prints);

}  // namespace animals
