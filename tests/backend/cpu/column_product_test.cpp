// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/column_product.hpp>

#include <cmath>
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

TEST_CASE("multiply_columns goes through several images whose planes are whole panels") {
  const Shape shape{4, 7, 8, 8};
  const auto x = recal::testing::random_tensor<float>("x", {4, 3, 8, 8});
  const auto weight = recal::testing::random_tensor<float>("weight", {1, 1, 7, 3});
  const cpu::PlainWeights<float> weights{weight.data(), 3, 1, 0};
  Tensor<float> y(shape, 100.0F);
  cpu::multiply_columns<float>(x.view(), 3, cpu::PatchGrid(x.shape(), shape, Window{}), cpu::Tile{64, 256, 0, 7},
                               weights, y.view(), {}, {});
  double worst = 0;
  for (Index n = 0; n < 4; ++n)
    for (Index o = 0; o < 7; ++o)
      for (Index k = 0; k < 64; ++k) {
        double expected = n == 0 ? 100 : 0;
        for (Index i = 0; i < 3 && n > 0; ++i)
          expected += static_cast<double>(weight(0, 0, o, i)) * static_cast<double>(x.view().plane(n, i)[k]);
        const double error = std::abs(static_cast<double>(y.view().plane(n, o)[k]) - expected);
        if (!(error <= worst)) worst = error;
      }
  CHECK(worst <= 1e-5);
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
