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

/// How multiply_columns() likes to be called.
template <class T>
[[nodiscard]] TaskGrid::Sizes column_tile_sizes(const PatchGrid& grid, Index images, Index channels,
                                                Index least_channels) {
  return {.images = images,
          .positions = grid.positions(),
          .unit = WideBlock<T>::columns,
          .channels = channels,
          .channel_unit = WideBlock<T>::rows,
          .least_channels = least_channels,
          .most_channels = channels};
}

/// Whether the pixels of an image fill panels, for windows of one pixel.
template <class T>
[[nodiscard]] bool fills_panels(const PatchGrid& grid) {
  constexpr Index lanes = pack_for<T>::lanes;
  constexpr Index columns = WideBlock<T>::columns;
  const Index positions = grid.positions();
  const bool one_image = TaskGrid::most_pixels / positions <= 1;  // in a tile
  return grid.pixelwise() && positions >= columns && (one_image || positions % columns == 0) &&
         (lanes - positions % lanes) % lanes * 32 <= positions;
}

/// What multiply_pixels() does, with a group's weights.
/// requires: fills_panels()
template <class T, class Weights>
void multiply_columns(const TensorView<const T>& x, Index channels, const PatchGrid& grid, const Tile& tile,
                      const Weights& weights, const TensorView<T>& y, const ConvFinish<T>& finish,
                      const ConvStart<T>& start) {
  using B = WideBlock<T>;
  ProductScratch<T>& scratch = product_scratch<T>();
  const Index positions = grid.positions();
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

}  // namespace recal::cpu
