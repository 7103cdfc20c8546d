// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/conv_finish.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/finish.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/pixel_panels.hpp>
#include <recal/backend/cpu/pixel_product.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/tensor.hpp>

/// Products of weights with pixels that fill the columns of panels, so that y is written as it is summed. Weights are
/// packed, or where they lie:
///   list_depth(channels, area, offsets)   their steps for so many channels and taps of the window
///   left(o, c, offsets)                   a left operand: outputs from o on, channels from c on, at these offsets
///   for_each_block(tile, f)               f(o, count) on the outputs of a tile, block by block
namespace recal::cpu {

/// Weights where they lie: of output o and input c of a group, at tap t of `area`,
///   data[group*group_size + o*step + c*depth_step + t], or + area - 1 - t where the kernel is turned.
template <class T>
struct PlainWeights {
  const T* data;
  Index step;
  Index depth_step;
  Index group_size;
  bool turned = false;

  void list_depth(Index channels, Index area, std::vector<Index>& offsets) const {
    offsets.clear();
    for (Index c = 0; c < channels; ++c)
      for (Index t = 0; t < area; ++t) offsets.push_back(c * depth_step + (turned ? area - 1 - t : t));
  }

  [[nodiscard]] PlainWeights of_group(Index group) const {
    PlainWeights own = *this;
    own.data += group * group_size;
    return own;
  }

  /// Outputs from o on, inputs from c on, at the offsets of list_depth().
  [[nodiscard]] Left<T> left(Index o, Index c, const std::vector<Index>& offsets) const {
    return {data + o * step + c * depth_step, offsets.data(), step};
  }

  /// f(o, count) on the outputs of a tile that a block can hold.
  template <class F>
  void for_each_block(const Tile& tile, const F& f) const {
    cpu::for_each_block<WideBlock<T>>(tile.channel_end - tile.channel,
                                      [&](Index first, Index count) { f(tile.channel + first, count); });
  }
};

/// Whether panels of pixels are parts of planes.
template <class T>
[[nodiscard]] bool plane_panels(const PatchGrid& grid, const Tile& tile) {
  const Index positions = grid.positions();
  const bool one_image = tile.first / positions == (tile.last - 1) / positions;
  return grid.pixelwise() && (one_image || positions % WideBlock<T>::columns == 0);
}

/// How multiply_columns() likes to be called.
template <class T>
[[nodiscard]] TaskGrid::Sizes column_tile_sizes(const PatchGrid& grid, Index images, Index channels,
                                                Index least_channels) {
  const Index positions = grid.positions();
  return {.images = images,
          .positions = positions,
          .unit = grid.pixelwise() ? WideBlock<T>::columns : grid.out_w,
          .channels = channels,
          .channel_unit = WideBlock<T>::rows,
          .least_channels = least_channels,
          .most_channels = channels};
}

/// So few that packing weights for them would not pay.
[[nodiscard]] inline bool few_pixels(const PatchGrid& grid, Index images) { return images * grid.positions() <= 256; }

/// Whether the pixels of an image fill panels.
template <class T>
[[nodiscard]] bool fills_panels(const PatchGrid& grid) {
  constexpr Index lanes = pack_for<T>::lanes;
  const Index positions = grid.positions();
  return grid.pixelwise() && positions >= WideBlock<T>::columns &&
         (lanes - positions % lanes) % lanes * 32 <= positions;
}

/// Sums of the tile's channels at all of its pixels, rows `pitch` apart, to y, finished.
template <class T>
void write_rows(const Tile& tile, Index positions, const T* sums, Index pitch, const TensorView<T>& y,
                const ConvFinish<T>& finish) {
  for (Index o = tile.channel; o < tile.channel_end; ++o, sums += pitch)
    for_each_image(tile.first, tile.last, positions, [&](const ImageRun& run, Index p) {
      T* to = y.plane(run.image, o) + run.first;
      copy_run(run.count, sums + (p - tile.first), to);
      if (!finish.empty()) finish_run(finish, run, o, to);
    });
}

/// multiply_columns() where plane_panels(): panel by panel, straight to y.
template <class T, class Weights>
void multiply_plane_columns(const TensorView<const T>& x, Index channels, Index positions, const Tile& tile,
                            const Weights& weights, const TensorView<T>& y, const ConvFinish<T>& finish,
                            const ConvStart<T>& start) {
  using B = WideBlock<T>;
  ProductScratch<T>& scratch = product_scratch<T>();
  const Index chunk = std::min(B::depth, channels);
  const Index panels = (tile.last - tile.first + B::columns - 1) / B::columns;
  weights.list_depth(chunk, 1, scratch.offsets);
  resize(scratch.panels, panels * B::columns * chunk);
  for (Index c = 0; c < channels; c += chunk) {
    const Index own = std::min(chunk, channels - c);
    const bool finishing = c + own == channels && !finish.empty();
    copy_panels(x, start, tile.first, tile.last, c, own, scratch.panels.data());
    weights.for_each_block(tile, [&](Index o, Index rows) {
      const auto left = weights.left(o, c, scratch.offsets);
      for (Index panel = 0; panel < panels; ++panel) {
        const Index p = tile.first + panel * B::columns;
        const Index image = p / positions;
        const ImageRun run{image, p - image * positions, std::min(B::columns, tile.last - p)};
        T* to = y.plane(image, o) + run.first;
        multiply_block<B>(rows, run.count, own, left,
                          Right<T>{scratch.panels.data() + panel * own * B::columns, B::columns}, to, y.stride_c,
                          c > 0);
        if (finishing)
          for (Index r = 0; r < rows; ++r) finish_run(finish, run, o + r, to + r * y.stride_c);
      }
    });
  }
}

/// multiply_columns() for any tile: patches are gathered, and the sums are put where they belong afterwards.
template <class T, class Weights>
void multiply_patch_columns(const TensorView<const T>& x, Index channels, const PatchGrid& grid, const Tile& tile,
                            const Weights& weights, const TensorView<T>& y, const ConvFinish<T>& finish,
                            const ConvStart<T>& start) {
  using B = WideBlock<T>;
  ProductScratch<T>& scratch = product_scratch<T>();
  const Index count = tile.last - tile.first;
  const Index area = grid.area();
  const Index chunk = std::clamp<Index>(B::depth / area, 1, channels);
  const Index pitch = (count + B::columns - 1) / B::columns * B::columns;
  weights.list_depth(chunk, area, scratch.offsets);
  scratch.pixels.prepare_patches(x, grid, tile.first, tile.last, chunk, start);
  resize(scratch.sums, (tile.channel_end - tile.channel) * pitch);
  for (Index c = 0; c < channels; c += chunk) {
    const Index own = std::min(chunk, channels - c);
    scratch.pixels.load(c, own);
    weights.for_each_block(tile, [&](Index o, Index rows) {
      const auto left = weights.left(o, c, scratch.offsets);
      for (Index p = 0; p < count; p += B::columns)
        multiply_block<B>(rows, std::min(B::columns, count - p), own * area, left,
                          Right<T>{scratch.pixels.base() + p, scratch.pixels.tap_step()},
                          scratch.sums.data() + (o - tile.channel) * pitch + p, pitch, c > 0);
    });
  }
  write_rows(tile, grid.positions(), scratch.sums.data(), pitch, y, finish);
}

/// What multiply_pixels() does, with a group's weights.
template <class T, class Weights>
void multiply_columns(const TensorView<const T>& x, Index channels, const PatchGrid& grid, const Tile& tile,
                      const Weights& weights, const TensorView<T>& y, const ConvFinish<T>& finish,
                      const ConvStart<T>& start) {
  if (plane_panels<T>(grid, tile))
    multiply_plane_columns(x, channels, grid.positions(), tile, weights, y, finish, start);
  else
    multiply_patch_columns(x, channels, grid, tile, weights, y, finish, start);
}

}  // namespace recal::cpu
