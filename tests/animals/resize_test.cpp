// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "encode.hpp"
#include "resize.hpp"

namespace {

using animals::Box;
using animals::Image;
using animals::Index;
using animals::resample;
using animals::testing::difference;
using animals::testing::gradient;

TEST_CASE("the whole box at its own size is the picture") {
  const Image image = gradient(13, 7);
  CHECK(animals::resized(image, 13, 7) == image);
}

TEST_CASE("a constant picture stays constant at any size and box") {
  Image image(9, 5);
  std::fill(image.rgb.begin(), image.rgb.end(), std::uint8_t{77});
  std::vector<float> out;
  for (const Box& box : {Box{0, 0, 9, 5}, Box{2.3, 1.1, 4.4, 0.5}, Box{-1, -1, 11, 7}})
    for (const Index size : {1, 2, 16}) {
      resample(image, box, size, size, out);
      REQUIRE(out.size() == static_cast<std::size_t>(3 * size * size));
      for (const float v : out) CHECK(v == doctest::Approx(77.0F).epsilon(1e-5));
    }
}

TEST_CASE("shrinking averages: a checkerboard becomes gray") {
  Image image(64, 64);
  for (Index y = 0; y < 64; ++y)
    for (Index x = 0; x < 64; ++x)
      std::fill_n(image.pixel(x, y), 3, static_cast<std::uint8_t>((x + y) % 2 == 0 ? 255 : 0));
  const Image small = animals::resized(image, 8, 8);
  for (const std::uint8_t v : small.rgb) CHECK(std::abs(int{v} - 127) <= 8);
}

TEST_CASE("a smooth picture keeps its shape when it is scaled") {
  CHECK(!(difference(animals::resized(gradient(200, 120), 50, 30), gradient(50, 30)) > 3.0));
  CHECK(!(difference(animals::resized(gradient(20, 12), 60, 36), gradient(60, 36)) > 8.0));
}

TEST_CASE("growing interpolates between pixel centres") {
  Image image(2, 1);
  std::fill_n(image.pixel(1, 0), 3, std::uint8_t{100});
  std::vector<float> out;
  resample(image, {0, 0, 2, 1}, 4, 1, out);
  const std::vector<float> expected{0, 25, 75, 100};
  for (std::size_t x = 0; x < 4; ++x) CHECK(out[3 * x] == doctest::Approx(expected[x]));
}

TEST_CASE("a box picks its part") {
  const Image image = gradient(100, 80);
  std::vector<float> out;
  resample(image, {30, 20, 1, 1}, 1, 1, out);
  for (std::size_t c = 0; c < 3; ++c) CHECK(out[c] == doctest::Approx(image.pixel(30, 20)[c]));
}

TEST_CASE("reduced brings the short side down and never up") {
  const Image wide = animals::reduced(gradient(300, 100), 50);
  CHECK(wide.width == 150);
  CHECK(wide.height == 50);
  const Image tall = animals::reduced(gradient(33, 101), 32);
  CHECK(tall.width == 32);
  CHECK(tall.height == 98);
  CHECK(animals::reduced(gradient(40, 30), 30) == gradient(40, 30));
  CHECK(animals::reduced(gradient(300, 1), 30) == gradient(300, 1));
}

}  // namespace
