// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/winograd_tiles.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/conv_check.hpp"

using namespace recal;
using recal::testing::random_tensor;
namespace winograd = recal::cpu::winograd;

namespace {

/// Pixel (h, w) of what a start makes of x, 0 outside.
template <class T>
double pixel(const Tensor<T>& x, const ConvStart<T>& start, Index n, Index c, Index h, Index w) {
  if (h < 0 || h >= x.shape().h || w < 0 || w >= x.shape().w) return 0;
  return static_cast<double>(start.empty() ? x(n, c, h, w) : start.of(c)(x(n, c, h, w)));
}

/// The largest error of all points of the tiles of output rows [first, last), counted through all images.
template <class T>
double tiles_error(const Shape& shape, Index padding, Index first, Index last, bool started) {
  const auto x = random_tensor<T>("x", shape);
  const recal::testing::SomeStart<T> some(shape.c);
  const ConvStart<T> start = started ? some.start() : ConvStart<T>{};
  const Window window{3, 1, padding};
  const cpu::PatchGrid grid(shape, {shape.n, 1, window.positions(shape.h), window.positions(shape.w)}, window);
  cpu::WinogradTiles<T> tiles;
  tiles.prepare(x.view(), grid, first * grid.out_w, last * grid.out_w, 2, start);
  tiles.load(1, 2);
  double worst = 0;
  for (std::size_t r = 0; r < tiles.rows().size(); ++r) {
    const auto& row = tiles.rows()[r];
    const Index y = first + row.pixel / grid.out_w;
    CHECK(row.whole == (y % grid.out_h + 1 < grid.out_h));
    for (Index t = 0; t < tiles.row_tiles(); ++t)
      for (Index c = 0; c < 2; ++c) {
        winograd::Row<double, 16> seen{};
        for (Index i = 0; i < 16; ++i)
          at(seen, i) =
              pixel(x, start, y / grid.out_h, 1 + c, y % grid.out_h + i / 4 - padding, 2 * t + i % 4 - padding);
        const auto expected = winograd::along_both<4, 4>(seen, winograd::FromInput{});
        for (Index p = 0; p < 16; ++p) {
          const Index tile = static_cast<Index>(r) * tiles.row_tiles() + t;
          const double own = std::abs(static_cast<double>(tiles.point(p)[c * tiles.count() + tile]) - at(expected, p));
          if (!(own <= worst)) worst = own;
        }
      }
  }
  return worst;
}

}  // namespace

TEST_CASE("tiles see their pixels, zeros around the plane, and what a start makes of them") {
  for (const bool started : {false, true})
    for (const Index padding : {0, 1, 2}) {
      CAPTURE(padding);
      CHECK(tiles_error<float>({3, 3, 8, 8}, padding, 0, 3 * (6 + 2 * padding), started) <= 5e-6);
      CHECK(tiles_error<float>({2, 4, 5, 40}, padding, 2, 3 + 2 * padding, started) <= 5e-6);
      CHECK(tiles_error<double>({2, 3, 9, 75}, padding, 7 + 2 * padding, 14 + 4 * padding, started) <= 1e-14);
    }
}

TEST_CASE("rows of tiles say where their pixels are") {
  const Tensor<float> x({2, 1, 5, 7});
  const cpu::PatchGrid grid(x.shape(), x.shape(), {3, 1, 1});
  cpu::WinogradTiles<float> tiles;
  tiles.prepare(x.view(), grid, 0, 70, 1, {});
  CHECK(tiles.row_tiles() == 4);
  CHECK(tiles.count() == 24);
  const Index pixels[] = {0, 14, 28, 35, 49, 63};
  for (std::size_t r = 0; r < 6; ++r) {
    CHECK(tiles.rows()[r].pixel == pixels[r]);
    CHECK(tiles.rows()[r].whole == (r % 3 != 2));
  }
}
