// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/conv_finish.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/finish.hpp>
#include <recal/backend/cpu/pixels.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/tensor.hpp>

/// Products of pixels with weights: what convolutions are made of.
namespace recal::cpu {

/// What one task needs; every thread keeps its own and reuses it.
template <class T>
struct ProductScratch {
  Pixels<T> pixels;
  std::vector<Index> offsets;
  Buffer<T> panels;
  Buffer<T> sums;
};

/// Not inlined: in a shared library each use of what is inlined would ask for the thread's memory anew.
template <class T>
[[nodiscard, gnu::noinline]] ProductScratch<T>& product_scratch() {
  thread_local ProductScratch<T> scratch;
  return scratch;
}

/// The depth of a product with pixels: for each of `channels` channels all taps.
template <class T>
void list_depth(const Pixels<T>& pixels, Index channels, std::vector<Index>& offsets) {
  offsets.clear();
  for (Index c = 0; c < channels; ++c)
    for (const Index tap : pixels.taps()) offsets.push_back(c * pixels.channel_step() + tap);
}

/// The sums of a panel's channels at the pixels of a tile, from some of the depth.
template <class T>
void multiply_panel(const Pixels<T>& pixels, const std::vector<Index>& offsets, const T* panel, Index channels, T* sums,
                    bool add) {
  using B = Block<T>;
  const Index columns = B::columns_for(channels);
  const auto go = [&](auto step) {
    for (const auto& run : pixels.runs())
      for_each_block<B>(run.count, [&](Index first, Index rows) {
        const Left<T, decltype(step)> left{pixels.base() + run.offset + first * step, offsets.data(), step};
        multiply_block<B>(rows, columns, static_cast<Index>(offsets.size()), left, Right<T>{panel, B::columns},
                          sums + (run.first + first) * B::columns, B::columns, add);
      });
  };
  if (pixels.pixel_step() == 1)
    go(Adjacent{});
  else
    go(pixels.pixel_step());
}

/// The sums of a panel's channels, from `channel` on, to y, finished.
template <class T>
void write_tile(const Tile& tile, Index positions, Index channel, Index channels, const T* sums, const TensorView<T>& y,
                const ConvFinish<T>& finish) {
  for_each_image(tile.first, tile.last, positions, [&](const ImageRun& run, Index p) {
    write_pixels(run, channel, channels, sums + (p - tile.first) * Block<T>::columns, y, finish);
  });
}

/// Whether a product goes through so much depth at once: a panel somewhat too deep costs less than a second one whose
/// sums are added.
template <class T>
[[nodiscard]] bool fits_panel(Index depth) {
  return depth <= Block<T>::depth * 5 / 4;
}

/// y(channel o, pixel p) = finish(sum_k weights(k, o) pixel(p, k)) for the pixels and channels of one tile, where k
/// counts (c, ky, kx) over `channels` channels of x, or of what `start` makes of x. x, y, `start` and `finish` begin at
/// the channels that are meant. weights.panel(i, k, steps) are those of the i-th panel of outputs, for so many steps
/// from k on: until it is asked for the next.
template <class T, class Weights>
void multiply_pixels(const TensorView<const T>& x, Index channels, const PatchGrid& grid, const Tile& tile,
                     Weights&& weights, const TensorView<T>& y, const ConvFinish<T>& finish = {},
                     const ConvStart<T>& start = {}) {
  using B = Block<T>;
  ProductScratch<T>& scratch = product_scratch<T>();
  const Index area = grid.area();
  const Index chunk = fits_panel<T>(channels * area) ? channels : std::clamp<Index>(B::depth / area, 1, channels);
  const Index panel_sums = (tile.last - tile.first) * B::columns;
  const Index panels = (tile.channel_end - tile.channel + B::columns - 1) / B::columns;
  const bool one_chunk = chunk == channels;
  resize(scratch.sums, (one_chunk ? 1 : panels) * panel_sums);
  scratch.pixels.prepare(x, grid, tile.first, tile.last, chunk, start);
  for (Index c = 0; c < channels; c += chunk) {
    const Index own = std::min(chunk, channels - c);
    scratch.pixels.load(c, own);
    list_depth(scratch.pixels, own, scratch.offsets);
    T* sums = scratch.sums.data();
    for (Index o = tile.channel; o < tile.channel_end; o += B::columns) {
      const Index outputs = std::min(B::columns, tile.channel_end - o);
      const T* panel = weights.panel(o / B::columns, c * area, own * area);
      multiply_panel(scratch.pixels, scratch.offsets, panel, outputs, sums, c > 0);
      if (c + own == channels) write_tile(tile, grid.positions(), o, outputs, sums, y, finish);
      if (!one_chunk) sums += panel_sums;
    }
  }
}

/// How multiply_pixels() likes to be called: by rows of pixels, or many of them, and panels of channels whose sums stay
/// in the second cache.
template <class T>
[[nodiscard]] TaskGrid::Sizes tile_sizes(const PatchGrid& grid, Index images, Index channels, Index least_channels) {
  constexpr Index most_sums = Index{1} << 17U;
  return {.images = images,
          .positions = grid.positions(),
          .unit = grid.pixelwise() ? Block<T>::rows : grid.out_w,
          .channels = channels,
          .channel_unit = Block<T>::columns,
          .least_channels = least_channels,
          .most_channels = most_sums / TaskGrid::most_pixels};
}

}  // namespace recal::cpu
