// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/conv2d_weight.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/backend/cpu/weight_sums.hpp>
#include <recal/backend/cpu/winograd.hpp>
#include <recal/backend/cpu/winograd_product.hpp>
#include <recal/backend/cpu/winograd_tiles.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/unrolled.hpp>

/// The gradient of a 3x3 convolution's weights by Winograd's algorithm: products over tiles at each of their points,
/// whose sums become those of 9 taps in the end.
namespace recal::cpu {

/// Memory of a task, beside its tiles; every thread keeps its own and reuses it.
template <class T>
struct WinogradGradientScratch {
  std::vector<Index> offsets;
  Buffer<T> turned;     ///< (panel, pixel, column of the panel)
  Buffer<T> gradients;  ///< (point, panel, tile, column of the panel)
  Buffer<T> products;   ///< (point, panel, channel, column of the panel)
};

template <class T>
[[nodiscard, gnu::noinline]] WinogradGradientScratch<T>& winograd_gradient_scratch() {
  thread_local WinogradGradientScratch<T> scratch;
  return scratch;
}

namespace detail {

/// The points of a row of tiles of dy, for one panel of columns: to[point*point_step + tile*columns + column], of
/// pixels[pixel*columns + column], `width` pixels a row.
template <class T, class W>
void transform_gradients(const typename WinogradTiles<T, W>::Row& row, Index width, const T* pixels, T* to,
                         Index point_step) {
  using P = pack_for<T>;
  constexpr Index columns = WideBlock<T>::columns;
  for (Index x = 0; x < width; x += W::outputs, to += columns)
    for (Index j = 0; j < columns; j += P::lanes) {
      const T* from = pixels + (row.pixel + x) * columns + j;
      winograd::Row<P, W::outputs * W::outputs> dy;
      unrolled<W::outputs>([&](auto h) {
        unrolled<W::outputs>([&](auto w) {
          dy[h * W::outputs + w] =
              h < row.height && w < width - x ? load<P>(from + (h * width + w) * columns) : P(T{0});
        });
      });
      const auto values = winograd::along_both<W::outputs, W::side>(dy, typename W::FromGradient{});
      unrolled<W::points>([&](auto p) { store(to + p * point_step + j, values[p]); });
    }
}

/// The points of dy at all tiles, for the columns of a block: (point, panel, tile, column of the panel). `turned` is
/// memory for the same pixels as they are.
template <class T, class W>
void load_gradients(const TensorView<const T>& dy, const WinogradTiles<T, W>& tiles, Index width, Index first,
                    Index last, const WeightBlock& block, Buffer<T>& turned, Buffer<T>& gradients) {
  constexpr Index columns = WideBlock<T>::columns;
  const Index panels = (block.columns + columns - 1) / columns;
  const Index point_step = panels * tiles.count() * columns;
  resize(turned, panels * (last - first) * columns);
  resize(gradients, W::points * point_step);
  turn_pixels<T>(dy, {}, first, last, block.column, block.columns, turned.data());
  T* to = gradients.data();
  for (Index panel = 0; panel < panels; ++panel)
    for (const auto& row : tiles.rows()) {
      transform_gradients<T, W>(row, width, turned.data() + panel * (last - first) * columns, to, point_step);
      to += tiles.row_tiles() * columns;
    }
}

/// Sums of `channels` channels at all taps, for one panel of columns, from the products at all points.
template <class T, class W>
void transform_weight_products(Index channels, const T* products, Index point_step, T* sums, Index row_step) {
  using P = pack_for<T>;
  constexpr Index columns = WideBlock<T>::columns;
  constexpr int taps = winograd::taps * winograd::taps;
  for (Index c = 0; c < channels; ++c, products += columns)
    for (Index j = 0; j < columns; j += P::lanes) {
      winograd::Row<P, W::points> values;
      unrolled<W::points>([&](auto p) { values[p] = load<P>(products + p * point_step + j); });
      const auto made = winograd::along_both<W::side, winograd::taps>(values, typename W::ToWeight{});
      unrolled<taps>([&](auto tap) { store(sums + (c * taps + tap) * row_step + j, made[tap]); });
    }
}

}  // namespace detail

/// The sums of a block over all of its images. x and dy begin at the group's channels.
template <class T, class W>
void sum_block_winograd(const TensorView<const T>& x, const PatchGrid& grid, const ConvStart<T>& start,
                        const TensorView<const T>& dy, const WeightBlock& block, const WeightSums<T>& sums) {
  using B = WideBlock<T>;
  WinogradGradientScratch<T>& scratch = winograd_gradient_scratch<T>();
  WinogradTiles<T, W>& tiles = winograd_scratch<T, W>().tiles;
  const Index panels = (block.columns + B::columns - 1) / B::columns;
  const Index panel_size = block.channels * B::columns;
  resize(scratch.products, W::points * panels * panel_size);
  const auto sizes = winograd_tile_sizes<T, W>(grid, block.image_end - block.image, B::columns, B::columns);
  const TaskGrid pieces(sizes, enough_tasks);
  const Index before = block.image * grid.positions();
  for (Index piece = 0; piece < pieces.size(); ++piece) {
    const Index first = before + pieces[piece].first;
    const Index last = before + pieces[piece].last;
    tiles.prepare(x, grid, first, last, block.channels, start);
    tiles.load(block.channel, block.channels);
    detail::load_gradients<T, W>(dy, tiles, grid.out_w, first, last, block, scratch.turned, scratch.gradients);
    const Index depth = tiles.count();
    scratch.offsets.clear();
    for (Index tile = 0; tile < depth; ++tile) scratch.offsets.push_back(tile);
    for (Index p = 0; p < W::points; ++p)
      for (Index panel = p * panels; panel < (p + 1) * panels; ++panel)
        for_each_block<B>(block.channels, [&](Index c, Index rows) {
          multiply_block<B>(rows, B::columns, depth, Left<T>{tiles.point(p) + c * depth, scratch.offsets.data(), depth},
                            Right<T>{scratch.gradients.data() + panel * depth * B::columns, B::columns},
                            scratch.products.data() + panel * panel_size + c * B::columns, B::columns, piece > 0);
        });
  }
  for (Index panel = 0; panel < panels; ++panel)
    detail::transform_weight_products<T, W>(block.channels, scratch.products.data() + panel * panel_size,
                                            panels * panel_size, sums.data + panel * sums.panel_step, sums.row_step);
}

/// dweight += dy * start(x)^T for every group.
template <class T, class W>
void add_weight_gradients_winograd(const TensorView<const T>& x, const PatchGrid& grid, const ConvStart<T>& start,
                                   const TensorView<const T>& dy, T* dweight, Index groups) {
  constexpr Index most_channels = 128;  // of a block: its products stay in the second cache
  constexpr Index most_columns = 64;
  const WeightSizes sizes{groups, x.shape.n, x.shape.c / groups, dy.shape.c / groups, grid.area()};
  const Index depth = sizes.channels * sizes.area;
  add_weight_sums<T>(
      sizes, WeightGrid::plan_blocks<T>(sizes, grid.positions(), most_channels, most_columns),
      [&](Index g, const WeightBlock& block, const WeightSums<T>& sums) {
        sum_block_winograd<T, W>(from_channel(x, g * sizes.channels), grid, start.from_channel(g * sizes.channels),
                                 from_channel(dy, g * sizes.columns), block, sums);
      },
      [&](Index g) {
        return WeightTarget<T>{dweight + g * sizes.columns * depth, depth, true};
      });
}

}  // namespace recal::cpu
