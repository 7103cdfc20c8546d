// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/column_product.hpp>

#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/left_packs.hpp>
#include <recal/backend/cpu/plain_weights.hpp>

#include "tests/support/tile_check.hpp"

using namespace recal;
using recal::testing::TileCase;

TEST_CASE("multiply_columns writes its tile and nothing else") {
  for (const cpu::Tile& tile : {cpu::Tile{42, 84, 0, 17}, cpu::Tile{126, 168, 6, 40}}) {
    const TileCase c{Window{}, tile};
    const cpu::PlainWeights<float> weights{c.weight.data(), TileCase::channels, 1, 0};
    Tensor<float> y(TileCase::shape, 100.0F);
    cpu::multiply_columns(c.x.view(), TileCase::channels, c.grid(), tile, weights, y.view(), {}, {});
    CAPTURE(tile.first);
    CHECK(c.error(y) <= 1e-5);
  }
}

TEST_CASE("multiply_columns takes turned weights too") {
  const TileCase c{Window{}, cpu::Tile{42, 84, 6, 40}};
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
  CHECK(fills({8, 64, 8, 8}, Window{}) == (64 % cpu::WideBlock<float>::columns == 0));
  CHECK_FALSE(fills({8, 64, 9, 8}, Window{}));
}
