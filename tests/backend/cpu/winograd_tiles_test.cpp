// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/winograd_tiles.hpp>

#include <algorithm>
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
template <class T, class W>
double tiles_error(const Shape& shape, Index padding, Index first, Index last, bool started) {
  const auto x = random_tensor<T>("x", shape);
  const recal::testing::SomeStart<T> some(shape.c);
  const ConvStart<T> start = started ? some.start() : ConvStart<T>{};
  const Window window{3, 1, padding};
  const cpu::PatchGrid grid(shape, {shape.n, 1, window.positions(shape.h), window.positions(shape.w)}, window);
  cpu::WinogradTiles<T, W> tiles;
  tiles.prepare(x.view(), grid, first * grid.out_w, last * grid.out_w, 2, start);
  tiles.load(1, 2);
  double worst = 0;
  for (std::size_t r = 0; r < tiles.rows().size(); ++r) {
    const auto& row = tiles.rows()[r];
    const Index y = first + row.pixel / grid.out_w;
    CHECK(row.height == std::min(W::outputs, grid.out_h - y % grid.out_h));
    for (Index t = 0; t < tiles.row_tiles(); ++t)
      for (Index c = 0; c < 2; ++c) {
        winograd::Row<double, W::points> seen{};
        for (Index i = 0; i < W::points; ++i)
          at(seen, i) = pixel(x, start, y / grid.out_h, 1 + c, y % grid.out_h + i / W::side - padding,
                              W::outputs * t + i % W::side - padding);
        const auto expected = winograd::along_both<W::side, W::side>(seen, typename W::FromInput{});
        for (Index p = 0; p < W::points; ++p) {
          const Index tile = static_cast<Index>(r) * tiles.row_tiles() + t;
          const double own = std::abs(static_cast<double>(tiles.point(p)[c * tiles.count() + tile]) - at(expected, p));
          if (!(own <= worst)) worst = own;
        }
      }
  }
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("tiles see their pixels, zeros around the plane, and what a start makes of them", W,
                   winograd::Tile2x2, winograd::Tile4x4) {
  for (const bool started : {false, true})
    for (const Index padding : {0, 1, 2}) {
      CAPTURE(padding);
      const auto rows = [&](Index h) { return h - 2 + 2 * padding; };
      CHECK(tiles_error<float, W>({3, 3, 8, 8}, padding, 0, 3 * rows(8), started) <= 5e-6);
      CHECK(tiles_error<float, W>({2, 4, 9, 40}, padding, W::outputs, rows(9), started) <= 5e-6);
      CHECK(tiles_error<float, W>({1, 3, 9, 22}, padding, 0, rows(9), started) <= 5e-6);
      CHECK(tiles_error<double, W>({2, 3, 9, 75}, padding, rows(9), 2 * rows(9), started) <= 1e-14);
      CHECK(tiles_error<double, W>({2, 3, 5, 17}, padding, 0, 2 * rows(5), started) <= 1e-14);
    }
}

TEST_CASE("rows of tiles say where their pixels are") {
  const Tensor<float> x({2, 1, 5, 7});
  const cpu::PatchGrid grid(x.shape(), x.shape(), {3, 1, 1});
  cpu::WinogradTiles<float, winograd::Tile2x2> small;
  small.prepare(x.view(), grid, 0, 70, 1, {});
  CHECK(small.row_tiles() == 4);
  CHECK(small.count() == 24);
  const Index pixels[] = {0, 14, 28, 35, 49, 63};
  for (std::size_t r = 0; r < 6; ++r) {
    CHECK(small.rows()[r].pixel == pixels[r]);
    CHECK(small.rows()[r].height == (r % 3 == 2 ? 1 : 2));
  }
  cpu::WinogradTiles<float, winograd::Tile4x4> large;
  large.prepare(x.view(), grid, 28, 70, 1, {});
  CHECK(large.row_tiles() == 2);
  CHECK(large.count() == 6);
  const Index later_pixels[] = {0, 7, 35};
  for (std::size_t r = 0; r < 3; ++r) {
    CHECK(large.rows()[r].pixel == later_pixels[r]);
    CHECK(large.rows()[r].height == (r == 1 ? 4 : 1));
  }
}
