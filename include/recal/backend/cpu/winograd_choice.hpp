// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/backend/cpu/winograd.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>

/// Which convolutions go by Winograd's algorithm, and with which tiles.
namespace recal::cpu {

/// How many tiles W cover the planes of y.
template <class W>
[[nodiscard]] constexpr Index tiles_of(const Shape& y) {
  return y.n * W::covering(y.h) * W::covering(y.w);
}

/// Whether a convolution of so many images and channels is faster by Winograd's algorithm: enough tiles to use the
/// transformed weights often, few of their pixels outside of y, and enough channels to use the transformed pixels
/// often.
[[nodiscard]] inline bool suits_winograd(const Window& window, const Shape& y, Index inputs, Index outputs) {
  using winograd::Tile2x2;
  constexpr Index few_tiles = 32;
  constexpr Index few_channels = 16;
  constexpr Index few_channels_of_both = 64;
  constexpr Index most_products = 70;  // per cent of those of the plain sum
  if (window.kernel != winograd::taps || window.stride != 1) return false;
  const Index tiles = tiles_of<Tile2x2>(y);
  return tiles >= few_tiles && 100 * Tile2x2::points * tiles <= most_products * window.area() * y.n * y.plane() &&
         std::min(inputs, outputs) >= few_channels && inputs + outputs >= few_channels_of_both;
}

/// What becomes of transformed weights: they serve one call or many, or are not there but their gradient is.
enum class WeightUse { one_call, many_calls, gradient };

/// Whether the large tiles are the faster ones: they multiply less, but there are four of their weights to a tap, not
/// two, which are transformed and read for fewer tiles. The faster a machine multiplies, the more that weighs.
[[nodiscard]] inline bool suits_large_tiles(const Shape& y, Index inputs, Index outputs, WeightUse use) {
  using winograd::Tile2x2, winograd::Tile4x4;
  constexpr Index most_products = 80;  // per cent of those of small tiles
  constexpr Index slowness = (64 / register_bytes) * (64 / register_bytes);
  const Index tiles = tiles_of<Tile4x4>(y);
  const Index channels = std::max(inputs, outputs);
  const Index enough = use == WeightUse::one_call ? 2 * channels : use == WeightUse::gradient ? channels : channels / 4;
  return tiles * slowness >= enough &&
         100 * Tile4x4::points * tiles <= most_products * Tile2x2::points * tiles_of<Tile2x2>(y);
}

/// with(W{}) with the tiles W that suit a convolution best; false where none do.
template <class With>
[[nodiscard]] bool with_winograd(const Window& window, const Shape& y, Index inputs, Index outputs, WeightUse use,
                                 const With& with) {
  if (!suits_winograd(window, y, inputs, outputs)) return false;
  if (suits_large_tiles(y, inputs, outputs, use))
    with(winograd::Tile4x4{});
  else
    with(winograd::Tile2x2{});
  return true;
}

}  // namespace recal::cpu
