// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/transpose_lanes.hpp>

/// The sums that a gradient of weights is made of: who sums up what, and where the sums belong. One side of the
/// products is *read* channel by channel and tap by tap, the other gives the *columns*.
namespace recal::cpu {

/// What one task sums up: channels of both sides, from a range of images.
struct WeightBlock {
  Index image, image_end;
  Index channel, channels;  ///< of the side that is read
  Index column, columns;    ///< channels of the other side
};

/// Where sums of a block go: of a panel of columns, channel and tap to
/// data[panel*panel_step + (channel*area + tap)*row_step + column]. With `add` they are added to what is there.
template <class T>
struct WeightSums {
  T* data;
  Index panel_step;
  Index row_step;
  bool add = false;
};

/// Where the sums of a group belong: of channel c of the side that is read, at `tap`, and of a column, at
/// data[c*area + tap + column*step] where columns are outputs, else at data[c*step + column].
template <class T>
struct WeightTarget {
  T* data;
  Index step;
  bool columns_are_outputs;
};

/// to[i] += from[i] for `count` numbers.
template <class T>
void add_run(Index count, const T* from, T* to) {
  map(
      count, to, [](auto a, auto b) { return a + b; }, static_cast<const T*>(to), from);
}

/// to[j*step + i] += sums[i*WideBlock<T>::columns + j] for i < rows, j < columns.
template <class T>
void add_turned(Index rows, Index columns, const T* sums, T* to, Index step) {
  using P = pack_for<T>;
  constexpr Index width = WideBlock<T>::columns;
  std::array<P, static_cast<std::size_t>(P::lanes)> square;
  Index i = 0;
  for (; i + P::lanes <= rows; i += P::lanes)
    for (Index j = 0; j < columns; j += P::lanes) {
      for (Index lane = 0; lane < P::lanes; ++lane) at(square, lane) = load<P>(sums + (i + lane) * width + j);
      transpose_lanes(square);
      for (Index lane = 0; lane < std::min<Index>(P::lanes, columns - j); ++lane) {
        T* row = to + (j + lane) * step + i;
        store(row, load<P>(row) + at(square, lane));
      }
    }
  for (; i < rows; ++i)
    for (Index j = 0; j < columns; ++j) to[j * step + i] += sums[i * width + j];
}

/// target += sums of a block, panel after panel.
template <class T>
void add_block(const WeightBlock& block, Index area, const T* sums, const WeightTarget<T>& target) {
  constexpr Index width = WideBlock<T>::columns;
  const Index rows = block.channels * area;
  for (Index first = 0; first < block.columns; first += width, sums += rows * width) {
    const Index columns = std::min(width, block.columns - first);
    const Index column = block.column + first;
    if (target.columns_are_outputs)
      add_turned(rows, columns, sums, target.data + column * target.step + block.channel * area, target.step);
    else
      for (Index row = 0; row < rows; ++row)
        add_run(columns, sums + row * width, target.data + (block.channel + row) * target.step + column);
  }
}

/// A gradient of weights: channels of the side that is read and of the other, its columns, in a group; taps.
struct WeightSizes {
  Index groups, images, channels, columns, area;
};

/// How the channels of both sides and the images are cut into tasks: a function of the sizes alone.
struct WeightGrid {
  Index channels, columns;  ///< of a block
  Index blocks, splits;     ///< of the channels, of the columns
  Index ranges;             ///< of images

  /// `positions`: pixels of an image.
  template <class T>
  static WeightGrid plan(const WeightSizes& sizes, Index positions) {
    constexpr Index most_products = 512;  // channels and taps for which a turned pixel is read
    constexpr Index rows = WideBlock<T>::rows;
    WeightGrid grid{};
    grid.ranges = ranges_of(sizes, positions);
    const bool enough = sizes.groups * grid.ranges >= enough_tasks;
    const Index most = std::max<Index>(1, most_products / (sizes.area * rows)) * rows;
    grid.channels = enough ? sizes.channels : std::min(sizes.channels, most);
    grid.blocks = (sizes.channels + grid.channels - 1) / grid.channels;
    grid.splits = 1;
    const Index panels = (sizes.columns + WideBlock<T>::columns - 1) / WideBlock<T>::columns;
    while (grid.tasks(sizes.groups) < enough_tasks && grid.splits < panels) ++grid.splits;
    grid.columns = (panels + grid.splits - 1) / grid.splits * WideBlock<T>::columns;
    return grid;
  }

  /// Blocks of up to so many channels and columns, smaller ones where they would leave cores without work.
  template <class T>
  static WeightGrid plan_blocks(const WeightSizes& sizes, Index positions, Index channels, Index columns) {
    WeightGrid grid{};
    grid.ranges = ranges_of(sizes, positions);
    const auto cut = [&] {
      grid.channels = std::min(sizes.channels, channels);
      grid.blocks = (sizes.channels + channels - 1) / channels;
      grid.columns = columns;
      grid.splits = (sizes.columns + columns - 1) / columns;
    };
    for (cut(); grid.tasks(sizes.groups) < enough_tasks && columns > WideBlock<T>::columns; cut()) columns /= 2;
    for (; grid.tasks(sizes.groups) < enough_tasks && channels > WideBlock<T>::rows; cut()) channels /= 2;
    return grid;
  }

  [[nodiscard]] Index tasks(Index groups) const { return groups * ranges * blocks * splits; }

 private:
  [[nodiscard]] static Index ranges_of(const WeightSizes& sizes, Index positions) {
    constexpr Index few_weights = Index{1} << 18U;  // of which every range of images may have sums of its own
    constexpr Index enough_pixels = 512;            // for the sums of a range
    if (sizes.channels * sizes.columns * sizes.area > few_weights) return 1;
    return std::clamp<Index>(sizes.images * positions / enough_pixels, 1, std::min(sizes.images, enough_tasks));
  }
};

/// target_of(g) += the sums of every group: sum(g, block, sums) for all blocks, in parallel. Where one task sums up all
/// images and rows of the target are rows of the sums, its sums are the target itself.
template <class T, class SumBlock, class TargetOf>
void add_weight_sums(const WeightSizes& sizes, const WeightGrid& grid, const SumBlock& sum, const TargetOf& target_of) {
  constexpr Index width = WideBlock<T>::columns;
  const Index blocks = sizes.groups * grid.blocks * grid.splits;
  const Index block_size = grid.columns * grid.channels * sizes.area;
  const bool direct = grid.ranges == 1 && !target_of(Index{0}).columns_are_outputs;
  const auto group_of = [&](Index index) { return index / (grid.blocks * grid.splits); };
  const auto block_of = [&](Index index, Index range) {
    const Index channel = index / grid.splits % grid.blocks * grid.channels;
    const Index column = index % grid.splits * grid.columns;
    return WeightBlock{sizes.images * range / grid.ranges,
                       sizes.images * (range + 1) / grid.ranges,
                       channel,
                       std::min(grid.channels, sizes.channels - channel),
                       column,
                       std::min(grid.columns, sizes.columns - column)};
  };
  Kept<Buffer<T>> kept;
  Buffer<T>& sums = *kept;
  if (!direct) renew(sums, blocks * grid.ranges * block_size);
  parallel_for(blocks * grid.ranges, [&](Index task) {
    const Index index = task / grid.ranges;
    const WeightBlock block = block_of(index, task % grid.ranges);
    if (block.columns <= 0) return;
    const WeightTarget<T> target = target_of(group_of(index));
    const Index channel = block.channel * target.step + block.column;
    sum(group_of(index), block,
        direct ? WeightSums<T>{target.data + channel, width, target.step, true}
               : WeightSums<T>{sums.data() + task * block_size, block.channels * sizes.area * width, width});
  });
  if (direct) return;
  parallel_for(blocks, [&](Index index) {
    for (Index range = 0; range < grid.ranges; ++range)
      if (const WeightBlock block = block_of(index, range); block.columns > 0)
        add_block(block, sizes.area, sums.data() + (index * grid.ranges + range) * block_size,
                  target_of(group_of(index)));
  });
}

}  // namespace recal::cpu
