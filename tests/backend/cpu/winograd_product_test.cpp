// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/winograd_product.hpp>

#include <doctest/doctest.h>

#include "tests/support/tile_check.hpp"

using namespace recal;
using recal::cpu::suits_winograd;
using recal::testing::TileCase;

TEST_CASE("multiply_winograd writes its tile and nothing else") {
  for (const cpu::Tile& tile : {cpu::Tile{28, 168, 0, 32}, cpu::Tile{42, 84, 32, 40}, cpu::Tile{14, 28, 0, 40}}) {
    const TileCase c{{3, 1, 1}, tile};
    Buffer<float> memory;
    cpu::WinogradWeights<float> weights(memory);
    weights.pack(c.weight.data(), {1, TileCase::outputs, TileCase::channels, 9});
    Tensor<float> y(TileCase::shape, 100.0F);
    cpu::multiply_winograd<float>(c.x.view(), TileCase::channels, c.grid(), tile, weights, 0, y.view(), {}, {});
    CHECK(c.error(y) <= 1e-5);
  }
}

TEST_CASE("Winograd's algorithm is for 3x3 kernels with stride 1, many tiles and many channels") {
  const Window window{3, 1, 1};
  CHECK(suits_winograd(window, {8, 64, 56, 56}, 64, 64));
  CHECK(suits_winograd(window, {8, 512, 7, 7}, 512, 512));
  CHECK_FALSE(suits_winograd({3, 2, 1}, {8, 64, 56, 56}, 64, 64));
  CHECK_FALSE(suits_winograd({5, 1, 2}, {8, 64, 56, 56}, 64, 64));
  CHECK_FALSE(suits_winograd({1, 1, 0}, {8, 64, 56, 56}, 64, 64));
  CHECK_FALSE(suits_winograd(window, {8, 64, 56, 56}, 3, 64));
  CHECK_FALSE(suits_winograd(window, {1, 64, 7, 7}, 64, 64));   // 16 tiles
  CHECK_FALSE(suits_winograd(window, {16, 64, 3, 3}, 64, 64));  // 4 tiles of 4 pixels for 9 pixels
}
