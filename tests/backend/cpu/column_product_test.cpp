// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/column_product.hpp>

#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/left_packs.hpp>

#include "tests/support/tile_check.hpp"

using namespace recal;
using recal::testing::TileCase;

TEST_CASE("multiply_columns writes its tile and nothing else, within an image and through several") {
  for (const Window& window : {Window{3, 1, 1}, Window{1, 1, 0}})
    for (const cpu::Tile& tile : {cpu::Tile{28, 168, 0, 17}, cpu::Tile{44, 80, 6, 40}}) {
      const TileCase c{window, tile};
      const Index depth = TileCase::channels * window.area();
      const cpu::PlainWeights<float> weights{c.weight.data(), depth, window.area(), TileCase::outputs * depth};
      Tensor<float> y(TileCase::shape, 100.0F);
      cpu::multiply_columns(c.x.view(), TileCase::channels, c.grid(), tile, weights, y.view(), {}, {});
      CAPTURE(window.kernel);
      CAPTURE(tile.first);
      CHECK(c.error(y) <= 1e-5);
    }
}

TEST_CASE("multiply_columns takes turned weights too") {
  const TileCase c{Window{1, 1, 0}, cpu::Tile{0, 168, 6, 40}};
  std::vector<float> turned(static_cast<std::size_t>(TileCase::channels * TileCase::outputs));
  for (Index o = 0; o < TileCase::outputs; ++o)
    for (Index i = 0; i < TileCase::channels; ++i) at(turned, i * TileCase::outputs + o) = c.weight(0, 0, o, i);
  cpu::LeftPacks<float> weights;
  weights.turn(turned.data(), {1, TileCase::channels, TileCase::outputs, 1});
  Tensor<float> y(TileCase::shape, 100.0F);
  cpu::multiply_columns(c.x.view(), TileCase::channels, c.grid(), c.tile, weights.of_group(0), y.view(), {}, {});
  CHECK(c.error(y) <= 1e-5);
}

TEST_CASE("fills_panels: windows of one pixel over planes that fill registers") {
  const auto fills = [](const Shape& y, const Window& window) {
    return cpu::fills_panels<float>(cpu::PatchGrid(y, y, window));
  };
  CHECK(fills({8, 64, 56, 56}, Window{}));
  CHECK_FALSE(fills({8, 64, 56, 56}, {3, 1, 1}));
  CHECK_FALSE(fills({8, 64, 7, 7}, Window{}));
}

TEST_CASE("few_pixels counts those of all images") {
  const auto few = [](const Shape& y, const Window& window) {
    return cpu::few_pixels(cpu::PatchGrid(y, y, window), y.n);
  };
  CHECK(few({1, 64, 7, 7}, Window{}));
  CHECK(few({16, 64, 4, 4}, {3, 1, 1}));
  CHECK_FALSE(few({17, 64, 4, 4}, {3, 1, 1}));
}

TEST_CASE("the depth of plain weights counts inputs and taps, the taps backwards where the kernel is turned") {
  std::vector<Index> offsets;
  cpu::PlainWeights<float>{nullptr, 0, 100, 0}.list_depth(2, 3, offsets);
  CHECK(offsets == std::vector<Index>{0, 1, 2, 100, 101, 102});
  cpu::PlainWeights<float>{nullptr, 0, 100, 0, true}.list_depth(2, 3, offsets);
  CHECK(offsets == std::vector<Index>{2, 1, 0, 102, 101, 100});
}
