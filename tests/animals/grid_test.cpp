// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "../support/temporary_folder.hpp"
#include "decode.hpp"
#include "grid.hpp"
#include "lettering.hpp"
#include "tiny_network.hpp"

namespace {

using animals::GridOptions;
using animals::Image;
using animals::Index;
using animals::Skipped;
using recal::testing::TemporaryFolder;

TEST_CASE("letters are drawn within the picture only") {
  Image image(30, 10);
  animals::write_letters(image, 2, 1, "aI?", {255, 0, 0});
  const auto set = [&](Index x, Index y) { return image.pixel(x, y)[0] == 255; };
  CHECK_FALSE(set(2, 1));  // A is round at its corner
  CHECK(set(3, 1));
  CHECK(set(2, 4));
  CHECK(set(10, 3));  // the stem of I
  CHECK(set(14, 1));  // an unknown letter is a box
  CHECK(std::count(image.rgb.begin(), image.rgb.end(), std::uint8_t{255}) == 18 + 11 + 20);
  Image clipped(3, 3);
  animals::write_letters(clipped, -2, -2, "MMMM", {1, 1, 1});
  CHECK(std::count(clipped.rgb.begin(), clipped.rgb.end(), std::uint8_t{1}) > 0);
}

TEST_CASE("a grid has a row a class, passes over broken pictures, and comes back from its PNG") {
  const TemporaryFolder folder;
  const auto split = animals::testing::two_classes(folder.path(), 7);
  animals::testing::write_file(folder / split.train[0].file, {'x'});
  for (const bool augment : {false, true}) {
    std::vector<Skipped> skipped;
    const GridOptions options{.columns = 6, .tile = 32, .augment = augment};
    const Image grid = animals::make_grid(folder.path(), split.train, split.classes, options, skipped);
    CHECK(grid.width == 6 * 36 + 4);
    CHECK(grid.height == 2 * 49 + 4);
    REQUIRE(skipped.size() == 1);
    CHECK(skipped[0].file == "above/0.png");
    animals::write_png(folder / "grid.png", grid);
    CHECK(animals::load_image(folder / "grid.png") == grid);
    std::vector<Skipped> again;
    CHECK(animals::make_grid(folder.path(), split.train, split.classes, options, again) == grid);
  }
}

TEST_CASE("a grid larger than the samples leaves places empty") {
  const TemporaryFolder folder;
  const auto split = animals::testing::two_classes(folder.path(), 1);
  std::vector<Skipped> skipped;
  const Image grid =
      animals::make_grid(folder.path(), split.train, split.classes, {.columns = 3, .rows = 5, .tile = 32}, skipped);
  CHECK(grid.height == 5 * 49 + 4);
  CHECK(skipped.empty());
}

}  // namespace
