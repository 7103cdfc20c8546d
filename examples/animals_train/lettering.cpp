// SPDX-License-Identifier: Apache-2.0
#include "lettering.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace animals {

namespace {

struct Glyph {
  char letter;
  std::string_view rows;  ///< seven rows of five, a blank between
};

constexpr std::array<Glyph, 42> glyphs{
    {{'A', " ###  #   # #   # ##### #   # #   # #   #"}, {'B', "####  #   # #   # ####  #   # #   # #### "},
     {'C', " ###  #   # #     #     #     #   #  ### "}, {'D', "####  #   # #   # #   # #   # #   # #### "},
     {'E', "##### #     #     ####  #     #     #####"}, {'F', "##### #     #     ####  #     #     #    "},
     {'G', " ###  #   # #     # ### #   # #   #  ### "}, {'H', "#   # #   # #   # ##### #   # #   # #   #"},
     {'I', " ###    #     #     #     #     #    ### "}, {'J', "  ###    #     #     #     #  #  #   ##  "},
     {'K', "#   # #  #  # #   ##    # #   #  #  #   #"}, {'L', "#     #     #     #     #     #     #####"},
     {'M', "#   # ## ## # # # # # # #   # #   # #   #"}, {'N', "#   # ##  # # # # #  ## #   # #   # #   #"},
     {'O', " ###  #   # #   # #   # #   # #   #  ### "}, {'P', "####  #   # #   # ####  #     #     #    "},
     {'Q', " ###  #   # #   # #   # # # # #  #   ## #"}, {'R', "####  #   # #   # ####  # #   #  #  #   #"},
     {'S', " #### #     #      ###      #     # #### "}, {'T', "#####   #     #     #     #     #     #  "},
     {'U', "#   # #   # #   # #   # #   # #   #  ### "}, {'V', "#   # #   # #   # #   # #   #  # #    #  "},
     {'W', "#   # #   # #   # # # # # # # ## ## #   #"}, {'X', "#   # #   #  # #    #    # #  #   # #   #"},
     {'Y', "#   # #   #  # #    #     #     #     #  "}, {'Z', "#####     #    #    #    #    #     #####"},
     {'0', " ###  #   # #  ## # # # ##  # #   #  ### "}, {'1', "  #    ##     #     #     #     #    ### "},
     {'2', " ###  #   #     #   ##   #    #     #####"}, {'3', " ###  #   #     #   ##      # #   #  ### "},
     {'4', "   #    ##   # #  #  #  #####    #     # "}, {'5', "##### #     ####      #     # #   #  ### "},
     {'6', " ###  #     #     ####  #   # #   #  ### "}, {'7', "#####     #    #    #    #     #     #   "},
     {'8', " ###  #   # #   #  ###  #   # #   #  ### "}, {'9', " ###  #   # #   #  ####     #     #  ### "},
     {' ', "                                         "}, {'-', "                  #####                  "},
     {'_', "                                    #####"}, {'.', "                               ##    ##  "},
     {'(', "   #    #    #     #     #      #      # "}, {')', " #      #      #     #     #    #    #   "}}};

constexpr std::string_view box = "##### #   # #   # #   # #   # #   # #####";

std::string_view rows_of(char letter) {
  const char capital = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  const auto* found = std::find_if(glyphs.begin(), glyphs.end(), [=](const Glyph& g) { return g.letter == capital; });
  return found == glyphs.end() ? box : found->rows;
}

}  // namespace

void write_letters(Image& image, Index x, Index y, const std::string& letters, const Colour& colour) {
  for (const char letter : letters) {
    const std::string_view rows = rows_of(letter);
    for (Index row = 0; row < letter_height; ++row) {
      for (Index column = 0; column < letter_step - 1; ++column) {
        const bool inside = x + column >= 0 && x + column < image.width && y + row >= 0 && y + row < image.height;
        if (inside && rows[static_cast<std::size_t>(row * letter_step + column)] == '#')
          std::copy(colour.begin(), colour.end(), image.pixel(x + column, y + row));
      }
    }
    x += letter_step;
  }
}

void fill_rectangle(Image& image, Index x, Index y, Index width, Index height, const Colour& colour) {
  for (Index row = y; row < y + height; ++row)
    for (Index column = x; column < x + width; ++column)
      std::copy(colour.begin(), colour.end(), image.pixel(column, row));
}

}  // namespace animals
