// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "augment.hpp"
#include "encode.hpp"

namespace {

using animals::Crop;
using animals::Image;
using animals::Index;
using animals::Purpose;
using animals::Random;
using animals::testing::gradient;

Random draw(std::uint64_t epoch, std::uint64_t index) { return {9, Purpose::augment, {epoch, index}}; }

TEST_CASE("a crop is a function of seed, epoch and index") {
  CHECK(animals::random_crop(200, 150, draw(1, 2)) == animals::random_crop(200, 150, draw(1, 2)));
  CHECK_FALSE(animals::random_crop(200, 150, draw(1, 2)) == animals::random_crop(200, 150, draw(2, 2)));
  CHECK_FALSE(animals::random_crop(200, 150, draw(1, 2)) == animals::random_crop(200, 150, draw(1, 3)));
}

TEST_CASE("crops keep to their bounds of area, ratio and place, and half of them are mirrored") {
  int flips = 0;
  double least = 1;
  double most = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Crop crop = animals::random_crop(160, 120, draw(0, i));
    const auto& [x, y, w, h] = crop.box;
    REQUIRE(x >= 0.0);
    REQUIRE(y >= 0.0);
    REQUIRE(x + w <= 160.0 + 1e-9);
    REQUIRE(y + h <= 120.0 + 1e-9);
    REQUIRE(w / h >= 0.75 - 1e-9);
    REQUIRE(w / h <= 4.0 / 3.0 + 1e-9);
    const double area = w * h / (160.0 * 120.0);
    least = std::min(least, area);
    most = std::max(most, area);
    flips += crop.flip ? 1 : 0;
  }
  CHECK(least >= 0.35 - 1e-9);
  CHECK(least < 0.36);
  CHECK(most > 0.95);
  CHECK(std::abs(flips - 1000) < 100);
}

TEST_CASE("a picture too narrow for any crop gives its middle") {
  const Crop wide = animals::random_crop(300, 10, draw(0, 0));
  CHECK(wide.box.height == 10.0);
  CHECK(wide.box.width == doctest::Approx(40.0 / 3.0));
  CHECK(wide.box.x == doctest::Approx(150.0 - 20.0 / 3.0));
  const Crop tall = animals::random_crop(1, 300, draw(0, 0));
  CHECK(tall.box.width == 1.0);
  CHECK(tall.box.height == doctest::Approx(4.0 / 3.0));
}

TEST_CASE("evaluation looks at the middle square") {
  const Crop crop = animals::centre_crop(160, 80);
  CHECK(crop.box == animals::Box{45, 5, 70, 70});
  CHECK_FALSE(crop.flip);
}

TEST_CASE("planes are normalised, and mirrored where the crop says so") {
  const Image image = gradient(32, 32);
  std::vector<float> plain(3 * 8 * 8);
  std::vector<float> mirrored(plain.size());
  Crop crop{{0, 0, 32, 32}, false};
  animals::to_planes(image, crop, 8, plain.data());
  crop.flip = true;
  animals::to_planes(image, crop, 8, mirrored.data());
  const Image small = animals::resized(image, 8, 8);
  for (Index c = 0; c < 3; ++c)
    for (Index y = 0; y < 8; ++y)
      for (Index x = 0; x < 8; ++x) {
        const auto i = static_cast<std::size_t>(c);
        const double expected = (small.pixel(x, y)[c] / 255.0 - animals::normal_mean[i]) / animals::normal_std[i];
        const auto at = [&](Index column) { return static_cast<std::size_t>((c * 8 + y) * 8 + column); };
        CHECK(std::abs(static_cast<double>(plain[at(x)]) - expected) < 0.01);
        CHECK(plain[at(x)] == mirrored[at(7 - x)]);
      }
}

}  // namespace
