// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "image.hpp"

namespace animals {

using Colour = std::array<std::uint8_t, 3>;

/// Letters are 5 pixels wide and 7 high, one pixel apart.
inline constexpr Index letter_step = 6;
inline constexpr Index letter_height = 7;

/// Writes capital letters, digits and a few signs at (x, y), the upper left corner; small letters become capitals,
/// others a box. What would lie outside the picture is left out.
void write_letters(Image& image, Index x, Index y, const std::string& letters, const Colour& colour);

/// Fills a rectangle that lies within the picture.
void fill_rectangle(Image& image, Index x, Index y, Index width, Index height, const Colour& colour);

}  // namespace animals
