// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/patch_product.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/random_tensor.hpp"

using namespace recal;
using recal::testing::random_tensor;

TEST_CASE("TaskGrid covers all rows and columns, whole panels and blocks at a time") {
  using B = cpu::Block<float>;
  for (const Index columns : {1, 63, 128, 513, 8192})
    for (const Index rows : {1, 6, 64, 500, 2048}) {
      const auto grid = cpu::TaskGrid::plan<float>(columns, rows, 1, 64);
      CHECK(grid.tiles * grid.tile_columns >= columns);
      CHECK(grid.splits * grid.split_rows >= rows);
      CHECK(grid.tile_columns % B::columns == 0);
      CHECK(grid.tile_columns <= B::tile_columns);
      CHECK(grid.split_rows % B::rows == 0);
      CHECK((grid.splits == 1 || rows / grid.splits >= 64));
    }
  CHECK(cpu::TaskGrid::plan<float>(128, 2048, 1, 64).splits == 8);
  CHECK(cpu::TaskGrid::plan<float>(128, 2048, 8, 64).splits == 1);
}

TEST_CASE("multiply_patches writes its tile and nothing else") {
  const auto x = random_tensor<float>("x", {5, 3, 6, 7});
  const auto left = random_tensor<float>("left", {1, 1, 20, 27});
  const Shape out{5, 20, 6, 7};
  const cpu::PatchGrid grid(x.shape(), out, {3, 1, 1});
  Tensor<float> y(out, 100.0F);
  const cpu::Tile tile{30, 175, 4, 17};
  const auto left_of = [&](Index row, Index channel) {
    return cpu::Left<float>{left.data() + row * 27 + channel * 9, 27, 1};
  };
  cpu::multiply_patches(x.view(), 3, grid, tile, left_of, y.view());
  double worst = 0;
  for (Index p = 0; p < 5 * 42; ++p)
    for (Index o = 0; o < 20; ++o) {
      double expected = 100;
      if (p >= tile.first && p < tile.last && o >= tile.row && o < tile.row_end) {
        expected = 0;
        for (Index k = 0; k < 27; ++k) {
          const Index h = p % 42 / 7 + k % 9 / 3 - 1;
          const Index w = p % 7 + k % 3 - 1;
          if (h < 0 || h >= 6 || w < 0 || w >= 7) continue;
          expected += static_cast<double>(left(0, 0, o, k)) * static_cast<double>(x(p / 42, k / 9, h, w));
        }
      }
      const double error = std::abs(static_cast<double>(y.view().plane(p / 42, o)[p % 42]) - expected);
      if (!(error <= worst)) worst = error;
    }
  CHECK(worst <= 1e-5);
}
