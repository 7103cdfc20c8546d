// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/tensor.hpp>

#include "tests/support/random_tensor.hpp"

namespace recal::testing {

/// A small convolution of which one tile is worked on: 20 channels of 5 images of 6 by 7 pixels.
struct TileCase {
  static constexpr Index channels = 3;
  static constexpr Index outputs = 40;
  static constexpr Shape shape{5, outputs, 6, 7};

  Window window;
  cpu::Tile tile;
  Tensor<float> x = random_tensor<float>("x", {5, channels, 6, 7});
  Tensor<float> weight = random_tensor<float>("weight", {1, 1, outputs, channels* window.area()});

  [[nodiscard]] cpu::PatchGrid grid() const { return {x.shape(), shape, window}; }

  [[nodiscard]] double expected(Index p, Index o) const {
    double sum = 0;
    for (Index k = 0; k < channels * window.area(); ++k) {
      const Index tap = k % window.area();
      const Index h = p % 42 / 7 + tap / window.kernel - window.padding;
      const Index w = p % 7 + tap % window.kernel - window.padding;
      if (h < 0 || h >= 6 || w < 0 || w >= 7) continue;
      sum += static_cast<double>(weight(0, 0, o, k)) * static_cast<double>(x(p / 42, k / window.area(), h, w));
    }
    return sum;
  }

  /// The largest error of y in the tile, or change of the 100 that were around it.
  [[nodiscard]] double error(const Tensor<float>& y) const {
    double worst = 0;
    for (Index p = 0; p < 5 * 42; ++p)
      for (Index o = 0; o < outputs; ++o) {
        const bool own = p >= tile.first && p < tile.last && o >= tile.channel && o < tile.channel_end;
        const double found = static_cast<double>(y.view().plane(p / 42, o)[p % 42]);
        const double error = std::abs(found - (own ? expected(p, o) : 100.0));
        if (!(error <= worst)) worst = error;
      }
    return worst;
  }
};

}  // namespace recal::testing
