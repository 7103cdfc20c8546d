// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/pixel_product.hpp>
#include <recal/backend/cpu/pixels.hpp>
#include <recal/backend/cpu/transpose.hpp>
#include <recal/backend/cpu/weight_sums.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/tensor.hpp>

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

/// to[p][j] = channel `column` + j of x at pixel first + p, counted through all images, in panels.
template <class T>
void turn_pixels(const TensorView<const T>& x, const ConvStart<T>& start, Index first, Index last, Index column,
                 Index columns, T* to) {
  constexpr Index width = WideBlock<T>::columns;
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

/// Whether channels are so few that the rows of a block are taps.
[[nodiscard]] inline bool few_channels(Index channels, const PatchGrid& grid) { return channels < grid.kernel_w; }

/// One panel of sums: sum_p read(channel, tap, p) right(p, column) for `columns` columns. The rows of a block are
/// channels at one tap, or, where there are few channels, taps of one row of the window.
template <class T>
void multiply_read(const PixelOperand<T>& read, Index channels, const Right<T>& right, Index columns, T* sums,
                   Index row_step, bool add) {
  using B = WideBlock<T>;
  const Pixels<T>& pixels = read.pixels;
  const PatchGrid& grid = read.grid;
  const std::vector<Index>& offsets = read.offsets;
  const Index area = grid.area();
  const auto depth = static_cast<Index>(offsets.size());
  if (few_channels(channels, grid) && pixels.adjacent_taps()) {
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
  using B = WideBlock<T>;
  WeightScratch<T>& scratch = weight_scratch<T>();
  Pixels<T>& pixels = product_scratch<T>().pixels;
  const Index total = block.image_end * sides.grid.positions();
  TaskGrid::Sizes sizes = tile_sizes<T>(sides.grid, block.image_end - block.image, B::columns, B::columns);
  // Taps are fewer rows than a block could have, so that a panel is read often: it stays in the first cache.
  if (few_channels(block.channels, sides.grid)) sizes.most_pixels = TaskGrid::most_pixels / 2;
  const TaskGrid pieces(sizes, enough_tasks);
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

/// dweight += products of both sides for each group: sides_of(g), target_of(g). Where one task sums up all images and
/// rows of the target are rows of the sums, it adds to the target itself.
template <class T, class SidesOf, class TargetOf>
void add_weight_gradients(Index groups, Index channels, Index columns, const SidesOf& sides_of,
                          const TargetOf& target_of) {
  const Sides<T> any = sides_of(Index{0});
  const WeightSizes sizes{groups, any.read.shape.n, channels, columns, any.grid.area()};
  add_weight_sums<T>(
      sizes, WeightGrid::plan<T>(sizes, any.grid.positions()),
      [&](Index g, const WeightBlock& block, const WeightSums<T>& sums) { sum_block(sides_of(g), block, sums); },
      target_of);
}

}  // namespace recal::cpu
