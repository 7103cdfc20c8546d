// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace recal {

/// Sizes, strides and counts. Signed, so that differences are meaningful.
using Index = std::int64_t;

/// The sizes of an NCHW tensor: samples, channels, height, width.
struct Shape {
  Index n = 0;
  Index c = 0;
  Index h = 0;
  Index w = 0;

  /// K = H*W, the elements of one plane.
  [[nodiscard]] constexpr Index plane() const noexcept { return h * w; }

  /// N*C*H*W.
  [[nodiscard]] constexpr Index size() const noexcept { return n * c * h * w; }

  friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

[[nodiscard]] inline std::string to_string(const Shape& s) {
  return "(N=" + std::to_string(s.n) + ", C=" + std::to_string(s.c) + ", H=" + std::to_string(s.h) +
         ", W=" + std::to_string(s.w) + ")";
}

}  // namespace recal
