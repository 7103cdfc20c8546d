// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/cpu/depthwise.hpp>
#include <recal/backend/cpu/patch_product.hpp>
#include <recal/backend/cpu/pointwise.hpp>
#include <recal/core/parallel.hpp>

/// Convolutions as products of weights and patches (implicit GEMM): patches are gathered tile by tile into the
/// panels that the product reads, and no matrix of all patches ever exists.
///
/// Letters: x [N, I, H, W], weight [O, I/G, k, k], y [N, O, H', W'] with H' = window.positions(H), G groups.
namespace recal {

namespace cpu::detail {

/// Calls task(group, tile) for all groups and tiles, in parallel.
template <class T, class Task>
void for_each_tile(Index columns, Index rows, Index groups, Index gather_cost, const Task& task) {
  const TaskGrid grid = TaskGrid::plan<T>(columns, rows, groups, gather_cost);
  parallel_for(groups * grid.tiles * grid.splits, [&](Index index) {
    const Index split = index % grid.splits;
    const Index first = index / grid.splits % grid.tiles * grid.tile_columns;
    const Index row = split * grid.split_rows;
    const Tile tile{first, std::min(columns, first + grid.tile_columns), row, std::min(rows, row + grid.split_rows)};
    if (tile.first < tile.last && tile.row < tile.row_end) task(index / (grid.splits * grid.tiles), tile);
  });
}

[[nodiscard]] inline Index gather_cost(const Window& window) { return window.kernel == 1 ? 64 : 128; }

template <class T>
void conv2d_gathered(const TensorView<const T>& x, const T* weight, const TensorView<T>& y, const Window& window,
                     Index groups, const ConvFinish<T>& finish, const ConvStart<T>& start) {
  const PatchGrid grid(x.shape, y.shape, window);
  const Index inputs = x.shape.c / groups;
  const Index outputs = y.shape.c / groups;
  const Index depth = inputs * window.area();
  const Index columns = y.shape.n * grid.positions();
  for_each_tile<T>(columns, outputs, groups, gather_cost(window), [&](Index g, const Tile& tile) {
    const T* own = weight + g * outputs * depth;
    const auto left = [&](Index row, Index channel) {
      return Left<T>{own + row * depth + channel * window.area(), depth, 1};
    };
    multiply_patches(from_channel(x, g * inputs), inputs, grid, tile, left, from_channel(y, g * outputs),
                     finish.from_channel(g * outputs), start.from_channel(g * inputs));
  });
}

template <class T>
void conv2d_pointwise(const TensorView<const T>& x, const T* weight, const TensorView<T>& y, const Window& window,
                      Index groups, const ConvFinish<T>& finish, const ConvStart<T>& start) {
  LayoutScratch<T>& scratch = layout_scratch<T>();
  const TensorView<T> seen = laid_out({x.shape.n, x.shape.c, y.shape.h, y.shape.w}, scratch.input);
  subsample(x, window.stride, seen, start);
  if (y.shape.plane() >= tiny_plane)
    return conv2d_gathered<T>(as_rows(seen), weight, as_rows(y), Window{}, groups, finish, {});
  const TensorView<T> product = laid_out(y.shape, scratch.output);
  conv2d_gathered<T>(as_rows(seen), weight, as_rows(product), Window{}, groups, {}, {});
  spread<T>(product, 1, y);
  finish_planes(finish, y);
}

}  // namespace cpu::detail

/// y = finish(weight * start(x)).
///   y(n, o, oy, ox) = finish(sum_{i, ky, kx} weight(o, i, ky, kx) start(x(n, i, oy s + ky - p, ox s + kx - p)))
/// with s = stride, p = padding, zeros outside the plane; i runs over the channels of o's group.
/// requires: shapes that belong together; y overlaps nothing
/// cost: reads x once or a few times from cache, writes y once; finishes it in cache
template <class T>
void conv2d(const Cpu&, const TensorView<const T>& x, const T* weight, const TensorView<T>& y, const Window& window,
            Index groups, const ConvFinish<T>& finish = {}, const ConvStart<T>& start = {}) {
  if (y.shape.size() == 0) return;
  if (cpu::is_depthwise(x.shape, y.shape, groups)) {
    cpu::depthwise_conv2d(x, weight, y, window, start);
    cpu::finish_planes(finish, y);
  } else if (cpu::wants_layout(window, y.shape)) {
    cpu::detail::conv2d_pointwise(x, weight, y, window, groups, finish, start);
  } else {
    cpu::detail::conv2d_gathered(x, weight, y, window, groups, finish, start);
  }
}

}  // namespace recal
