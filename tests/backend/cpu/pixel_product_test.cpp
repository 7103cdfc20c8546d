// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/packed_weights.hpp>
#include <recal/backend/cpu/pixel_product.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/tile_check.hpp"

using namespace recal;
using recal::testing::TileCase;

TEST_CASE("multiply_pixels writes its tile and nothing else") {
  for (const Window& window : {Window{3, 1, 1}, Window{1, 1, 0}})
    for (const cpu::Tile& tile : {cpu::Tile{28, 168, 0, 32}, cpu::Tile{42, 84, 32, 40}}) {
      const TileCase c{window, tile};
      Buffer<float> memory;
      cpu::PackedWeights<float> weights(memory);
      weights.pack(c.weight.data(), {1, TileCase::outputs, TileCase::channels, window.area()});
      Tensor<float> y(TileCase::shape, 100.0F);
      cpu::multiply_pixels(c.x.view(), TileCase::channels, c.grid(), tile, weights.of_group(0), y.view());
      CHECK(c.error(y) <= 1e-5);
    }
}

TEST_CASE("an operand begins at the panel and the step that it names") {
  const TileCase c{{3, 1, 1}, {0, 42, 0, 8}};
  Buffer<float> memory;
  cpu::PackedWeights<float> weights(memory);
  weights.pack(c.weight.data(), {1, TileCase::outputs, TileCase::channels, 9});
  constexpr Index panel = cpu::Block<float>::columns;
  Tensor<float> y(TileCase::shape, 100.0F);
  const TensorView<const float> later = from_channel(c.x.view(), 1);
  cpu::multiply_pixels(later, 2, c.grid(), c.tile, cpu::PackedWeights<float>::Group{weights, 0, 9, 32 / panel},
                       y.view());
  double worst = 0;
  for (Index o = 0; o < 8; ++o)
    for (Index p = 0; p < 42; ++p) {
      double first = 0;  // what the first channel would add
      for (Index tap = 0; tap < 9; ++tap) {
        const Index h = p / 7 + tap / 3 - 1;
        const Index w = p % 7 + tap % 3 - 1;
        if (h >= 0 && h < 6 && w >= 0 && w < 7)
          first += static_cast<double>(c.weight(0, 0, 32 + o, tap)) * static_cast<double>(c.x(0, 0, h, w));
      }
      const double error = std::abs(static_cast<double>(y.view().plane(0, o)[p]) - (c.expected(p, 32 + o) - first));
      if (!(error <= worst)) worst = error;
    }
  CHECK(worst <= 1e-5);
}
