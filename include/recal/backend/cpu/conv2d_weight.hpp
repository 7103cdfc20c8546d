// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/pixel_product.hpp>
#include <recal/backend/cpu/pixels.hpp>
#include <recal/backend/cpu/transpose.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/transpose_lanes.hpp>

/// The gradient of a convolution's weights: products of pixels with pixels, summed over all images. One side is read
/// where it lies, channel by channel and tap by tap; the other is turned, so that the channels of a pixel are a row.
namespace recal::cpu {

/// The two sides of dweight. Channel and tap of `read`, channel of `turned`:
///   sums(c, tap, j) = sum over pixels p of read(c, seen at tap by p) * turned(j, p)
template <class T>
struct Sides {
  TensorView<const T> read;
  PatchGrid grid;  ///< how pixels of `turned` look at `read`
  ConvStart<T> read_start;
  TensorView<const T> turned;
  ConvStart<T> turned_start;
};

/// What one task sums up: channels of both sides, from a range of images.
struct WeightBlock {
  Index image, image_end;
  Index channel, channels;  ///< of the side that is read
  Index column, columns;    ///< channels of the side that is turned
};

/// to[p][j] = channel `column` + j of x at pixel first + p, counted through all images, in panels.
template <class T>
void turn_pixels(const TensorView<const T>& x, const ConvStart<T>& start, Index first, Index last, Index column,
                 Index columns, T* to) {
  constexpr Index width = Block<T>::columns;
  const Index plane = x.shape.plane();
  for (Index j = 0; j < columns; j += width, to += (last - first) * width) {
    const Index own = std::min(width, columns - j);
    for_each_image(first, last, plane, [&](const ImageRun& run, Index p) {
      T* row = to + (p - first) * width;
      transpose(x.plane(run.image, column + j) + run.first, own, run.count, x.stride_c, row, width,
                start.from_channel(column + j));
      if (own < width)
        for (Index i = 0; i < run.count; ++i) std::fill(row + i * width + own, row + (i + 1) * width, T{});
    });
  }
}

/// Memory of a task, beside that of its product; every thread keeps its own and reuses it.
template <class T>
struct WeightScratch {
  std::vector<Index> offsets;
  Buffer<T> turned;
};

template <class T>
[[nodiscard, gnu::noinline]] WeightScratch<T>& weight_scratch() {
  thread_local WeightScratch<T> scratch;
  return scratch;
}

/// The side that is read, and where its pixels are.
template <class T>
struct PixelOperand {
  const Pixels<T>& pixels;
  const PatchGrid& grid;
  const std::vector<Index>& offsets;
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

/// One panel of sums: sum_p read(channel, tap, p) right(p, column) for `columns` columns. The rows of a block are
/// channels at one tap, or, where there are few channels, taps of one row of the window.
template <class T>
void multiply_read(const PixelOperand<T>& read, Index channels, const Right<T>& right, Index columns, T* sums,
                   Index row_step, bool add) {
  using B = Block<T>;
  const auto& [pixels, grid, offsets] = read;
  const Index area = grid.area();
  const auto depth = static_cast<Index>(offsets.size());
  if (channels < grid.kernel_w && pixels.adjacent_taps()) {
    for (Index row = 0; row < channels * grid.kernel_h; ++row)
      for_each_block<B>(grid.kernel_w, [&](Index kx, Index rows) {
        const Index tap = row % grid.kernel_h * grid.kernel_w + kx;
        const T* from = pixels.base() + row / grid.kernel_h * pixels.channel_step() + at(pixels.taps(), tap);
        multiply_block<B>(rows, columns, depth, Left<T, Adjacent>{from, offsets.data(), {}}, right,
                          sums + (row * grid.kernel_w + kx) * row_step, row_step, add);
      });
    return;
  }
  for (Index tap = 0; tap < area; ++tap)
    for_each_block<B>(channels, [&](Index c, Index rows) {
      const T* from = pixels.base() + c * pixels.channel_step() + at(pixels.taps(), tap);
      multiply_block<B>(rows, columns, depth, Left<T>{from, offsets.data(), pixels.channel_step()}, right,
                        sums + (c * area + tap) * row_step, area * row_step, add);
    });
}

/// The sums of a block over all of its images.
template <class T>
void sum_block(const Sides<T>& sides, const WeightBlock& block, const WeightSums<T>& sums) {
  using B = Block<T>;
  WeightScratch<T>& scratch = weight_scratch<T>();
  Pixels<T>& pixels = product_scratch<T>().pixels;
  const Index total = block.image_end * sides.grid.positions();
  const TaskGrid pieces(tile_sizes<T>(sides.grid, block.image_end - block.image, B::columns, B::columns), enough_tasks);
  const Index before = block.image * sides.grid.positions();
  for (Index piece = 0; piece < pieces.size(); ++piece) {
    const Index first = before + pieces[piece].first;
    const Index last = std::min(total, before + pieces[piece].last);
    pixels.prepare(sides.read, sides.grid, first, last, block.channels, sides.read_start, 1);
    pixels.load(block.channel, block.channels);
    scratch.offsets.clear();
    for (const auto& run : pixels.runs())
      for (Index i = 0; i < run.count; ++i) scratch.offsets.push_back(run.offset + i * pixels.pixel_step());
    const Index panels = (block.columns + B::columns - 1) / B::columns;
    resize(scratch.turned, panels * (last - first) * B::columns);
    turn_pixels(sides.turned, sides.turned_start, first, last, block.column, block.columns, scratch.turned.data());
    for (Index panel = 0; panel < panels; ++panel)
      multiply_read(PixelOperand<T>{pixels, sides.grid, scratch.offsets}, block.channels,
                    Right<T>{scratch.turned.data() + panel * (last - first) * B::columns, B::columns},
                    std::min(B::columns, block.columns - panel * B::columns), sums.data + panel * sums.panel_step,
                    sums.row_step, sums.add || piece > 0);
  }
}

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

/// to[j*step + i] += sums[i*Block<T>::columns + j] for i < rows, j < columns.
template <class T>
void add_turned(Index rows, Index columns, const T* sums, T* to, Index step) {
  using P = pack_for<T>;
  constexpr Index width = Block<T>::columns;
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
  constexpr Index width = Block<T>::columns;
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

/// How the channels of both sides and the images are cut into tasks: a function of the sizes alone.
struct WeightGrid {
  Index channels, columns;  ///< of a block
  Index blocks, splits;     ///< of the channels, of the columns
  Index ranges;             ///< of images

  template <class T>
  static WeightGrid plan(Index images, Index positions, Index channels, Index columns, Index area, Index groups) {
    constexpr Index few_weights = Index{1} << 18U;  // of which every range of images may have sums of its own
    constexpr Index enough_pixels = 512;            // for the sums of a range
    constexpr Index most_products = 512;            // channels and taps for which a turned pixel is read
    constexpr Index rows = Block<T>::rows;
    WeightGrid grid{};
    grid.ranges = channels * columns * area <= few_weights
                      ? std::clamp<Index>(images * positions / enough_pixels, 1, std::min(images, enough_tasks))
                      : 1;
    const bool enough = groups * grid.ranges >= enough_tasks;
    grid.channels = enough ? channels : std::min(channels, std::max<Index>(1, most_products / (area * rows)) * rows);
    grid.blocks = (channels + grid.channels - 1) / grid.channels;
    grid.splits = 1;
    const Index panels = (columns + Block<T>::columns - 1) / Block<T>::columns;
    while (groups * grid.ranges * grid.blocks * grid.splits < enough_tasks && grid.splits < panels) ++grid.splits;
    grid.columns = (panels + grid.splits - 1) / grid.splits * Block<T>::columns;
    return grid;
  }
};

/// dweight += products of both sides for each group: sides_of(g), target_of(g). Where one task sums up all images and
/// rows of the target are rows of the sums, it adds to the target itself.
template <class T, class SidesOf, class TargetOf>
void add_weight_gradients(Index groups, Index channels, Index columns, const SidesOf& sides_of,
                          const TargetOf& target_of) {
  constexpr Index width = Block<T>::columns;
  const Sides<T> any = sides_of(Index{0});
  const Index area = any.grid.area();
  const Index images = any.read.shape.n;
  const WeightGrid grid = WeightGrid::plan<T>(images, any.grid.positions(), channels, columns, area, groups);
  const Index blocks = groups * grid.blocks * grid.splits;
  const Index block_size = grid.columns * grid.channels * area;
  const bool direct = grid.ranges == 1 && !target_of(Index{0}).columns_are_outputs;
  const auto group_of = [&](Index index) { return index / (grid.blocks * grid.splits); };
  const auto block_of = [&](Index index, Index range) {
    const Index channel = index / grid.splits % grid.blocks * grid.channels;
    const Index column = index % grid.splits * grid.columns;
    return WeightBlock{images * range / grid.ranges,
                       images * (range + 1) / grid.ranges,
                       channel,
                       std::min(grid.channels, channels - channel),
                       column,
                       std::min(grid.columns, columns - column)};
  };
  thread_local Buffer<T> kept;
  Buffer<T>& sums = kept;
  if (!direct) resize(sums, blocks * grid.ranges * block_size);
  parallel_for(blocks * grid.ranges, [&](Index task) {
    const Index index = task / grid.ranges;
    const WeightBlock block = block_of(index, task % grid.ranges);
    if (block.columns <= 0) return;
    const WeightTarget<T> target = target_of(group_of(index));
    const WeightSums<T> to =
        direct ? WeightSums<T>{target.data + block.channel * target.step + block.column, width, target.step, true}
               : WeightSums<T>{sums.data() + task * block_size, block.channels * area * width, width};
    sum_block(sides_of(group_of(index)), block, to);
  });
  if (direct) return;
  parallel_for(blocks, [&](Index index) {
    for (Index range = 0; range < grid.ranges; ++range)
      if (const WeightBlock block = block_of(index, range); block.columns > 0)
        add_block(block, area, sums.data() + (index * grid.ranges + range) * block_size, target_of(group_of(index)));
  });
}

}  // namespace recal::cpu
