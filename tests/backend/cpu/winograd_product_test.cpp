// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/winograd_product.hpp>

#include <doctest/doctest.h>

#include "tests/support/tile_check.hpp"

using namespace recal;
using recal::testing::TileCase;

TEST_CASE_TEMPLATE("multiply_winograd writes its tile and nothing else", W, cpu::winograd::Tile2x2,
                   cpu::winograd::Tile4x4) {
  for (const cpu::Tile& tile : {cpu::Tile{28, 168, 0, 32}, cpu::Tile{42, 84, 32, 40}, cpu::Tile{0, 28, 0, 40}}) {
    const TileCase c{{3, 1, 1}, tile};
    Buffer<float> memory;
    cpu::WinogradWeights<float, W> weights(memory);
    weights.pack(c.weight.data(), {1, TileCase::outputs, TileCase::channels, 9});
    Tensor<float> y(TileCase::shape, 100.0F);
    cpu::multiply_winograd<float, W>(c.x.view(), TileCase::channels, c.grid(), tile, weights, 0, y.view(), {}, {});
    CHECK(c.error(y) <= 1e-5);
  }
}
