// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "exif.hpp"

namespace {

using animals::Bytes;
using animals::exif_orientation;
using animals::Image;
using animals::Index;
using animals::upright;
using namespace std::string_view_literals;

int orientation_of(std::string_view block) {
  return exif_orientation({reinterpret_cast<const std::uint8_t*>(block.data()), block.size()});
}

/// A picture of one letter a pixel.
Image letters(Index width, std::string_view rows) {
  Image image(width, static_cast<Index>(rows.size()) / width);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::fill_n(image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, static_cast<std::uint8_t>(rows[i]));
  return image;
}

TEST_CASE("the orientation is found in either byte order and among other entries") {
  CHECK(orientation_of("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"sv) == 6);
  CHECK(orientation_of("Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0"sv) == 3);
  CHECK(orientation_of(
            "Exif\0\0MM\0*\0\0\0\x08\0\x02\x01\x0f\0\x02\0\0\0\x01\0\0\0\0\x01\x12\0\x03\0\0\0\x01\0\x08\0\0"sv) == 8);
}

TEST_CASE("a block that is not sound means upright") {
  const auto sound = "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"sv;
  for (std::size_t length = 0; length < sound.size(); ++length) CHECK(orientation_of(sound.substr(0, length)) == 1);
  CHECK(orientation_of("http://ns.adobe.com/xap/1.0/"sv) == 1);
  CHECK(orientation_of("Exif\0\0II*\0\xff\xff\xff\xff\x01\0"sv) == 1);
  CHECK(orientation_of("Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01"sv) == 1);
  CHECK(orientation_of("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0"sv) == 1);
  CHECK(orientation_of("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0"sv) == 1);
}

TEST_CASE("each orientation is undone") {
  // What is stored when the scene is  abc
  //                                   def
  const Image scene = letters(3, "abcdef");
  CHECK(upright(letters(3, "abcdef"), 1) == scene);
  CHECK(upright(letters(3, "cbafed"), 2) == scene);
  CHECK(upright(letters(3, "fedcba"), 3) == scene);
  CHECK(upright(letters(3, "defabc"), 4) == scene);
  CHECK(upright(letters(2, "adbecf"), 5) == scene);
  CHECK(upright(letters(2, "cfbead"), 6) == scene);
  CHECK(upright(letters(2, "fcebda"), 7) == scene);
  CHECK(upright(letters(2, "daebfc"), 8) == scene);
}

}  // namespace
