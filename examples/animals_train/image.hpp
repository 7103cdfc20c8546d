// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <recal/core/shape.hpp>

namespace animals {

using recal::Index;

/// 8-bit sRGB pixels, rows from top to bottom: red, green, blue at rgb[3*(y*width + x)].
struct Image {
  Index width = 0;
  Index height = 0;
  std::vector<std::uint8_t> rgb;

  Image() = default;
  Image(Index w, Index h) : width(w), height(h), rgb(static_cast<std::size_t>(3 * w * h)) {}

  [[nodiscard]] std::uint8_t* pixel(Index x, Index y) { return rgb.data() + 3 * (y * width + x); }
  [[nodiscard]] const std::uint8_t* pixel(Index x, Index y) const { return rgb.data() + 3 * (y * width + x); }

  friend bool operator==(const Image&, const Image&) = default;
};

}  // namespace animals
