// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/cpu/column_product.hpp>
#include <recal/backend/cpu/depthwise.hpp>
#include <recal/backend/cpu/few_product.hpp>
#include <recal/backend/cpu/finish.hpp>
#include <recal/backend/cpu/fixed_weights.hpp>
#include <recal/backend/cpu/packed_weights.hpp>
#include <recal/backend/cpu/panels_on_demand.hpp>
#include <recal/backend/cpu/pixel_product.hpp>
#include <recal/backend/cpu/plain_weights.hpp>
#include <recal/backend/cpu/pointwise.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/backend/cpu/winograd_choice.hpp>
#include <recal/backend/cpu/winograd_product.hpp>
#include <recal/core/parallel.hpp>

/// Convolutions as products of weights and patches (implicit GEMM): the product reads the pixels of a patch where they
/// lie, and no matrix of all patches ever exists.
///
/// Letters: x [N, I, H, W], weight [O, I/G, k, k], y [N, O, H', W'] with H' = window.positions(H), G groups.
namespace recal {

namespace cpu::detail {

/// Fewer output channels are not worth that another task looks at the same pixels.
[[nodiscard]] inline Index least_channels(const Window& window) { return window.kernel == 1 ? 64 : 128; }

/// multiply(group, tile, x, y, finish, start) for all groups and tiles, in parallel; what it gets of x, y, finish and
/// start begins at the group's channels.
template <class T, class Multiply>
void for_each_tile(const TaskGrid::Sizes& sizes, const TensorView<const T>& x, const TensorView<T>& y, Index groups,
                   const ConvFinish<T>& finish, const ConvStart<T>& start, const Multiply& multiply) {
  const TaskGrid tasks(sizes, groups);
  parallel_for(groups * tasks.size(), [&](Index index) {
    const Index g = index / tasks.size();
    const Index input = g * (x.shape.c / groups);
    const Index output = g * (y.shape.c / groups);
    multiply(g, tasks[index % tasks.size()], from_channel(x, input), from_channel(y, output),
             finish.from_channel(output), start.from_channel(input));
  });
}

/// y = finish(weights * start(x)) for weights in panels: PackedWeights, PackedOnDemand or TurnedOnDemand.
template <class T, class Weights>
void multiply_all(const TensorView<const T>& x, const Weights& weights, const TensorView<T>& y, const Window& window,
                  Index groups, const ConvFinish<T>& finish, const ConvStart<T>& start) {
  const PatchGrid grid(x.shape, y.shape, window);
  TaskGrid::Sizes sizes = tile_sizes<T>(grid, y.shape.n, y.shape.c / groups, least_channels(window));
  // Sums of one panel at a time leave room for tiles that copy fewer rows twice, for what they see overlaps.
  if (!grid.pixelwise() && fits_panel<T>(x.shape.c / groups * grid.area())) sizes.most_pixels *= 3;
  for_each_tile(sizes, x, y, groups, finish, start,
                [&](Index g, const Tile& tile, const auto& own_x, const auto& own_y, const auto& f, const auto& s) {
                  multiply_pixels(own_x, x.shape.c / groups, grid, tile, weights.of_group(g), own_y, f, s);
                });
}

/// The same by Winograd's algorithm.
template <class T, class W>
void multiply_all(const TensorView<const T>& x, const WinogradWeights<T, W>& weights, const TensorView<T>& y,
                  const Window& window, Index groups, const ConvFinish<T>& finish, const ConvStart<T>& start) {
  const PatchGrid grid(x.shape, y.shape, window);
  const auto sizes = winograd_tile_sizes<T, W>(grid, y.shape.n, y.shape.c / groups, least_channels(window));
  for_each_tile(sizes, x, y, groups, finish, start,
                [&](Index g, const Tile& tile, const auto& own_x, const auto& own_y, const auto& f, const auto& s) {
                  multiply_winograd(own_x, x.shape.c / groups, grid, tile, weights, g, own_y, f, s);
                });
}

/// The same with columns of pixels: weights are PlainWeights or LeftPacks.
template <class T, class Weights>
void multiply_all_columns(const TensorView<const T>& x, const Weights& weights, const TensorView<T>& y,
                          const Window& window, Index groups, const ConvFinish<T>& finish, const ConvStart<T>& start) {
  const PatchGrid grid(x.shape, y.shape, window);
  const auto sizes = column_tile_sizes<T>(grid, y.shape.n, y.shape.c / groups, least_channels(window));
  for_each_tile(sizes, x, y, groups, finish, start,
                [&](Index g, const Tile& tile, const auto& own_x, const auto& own_y, const auto& f, const auto& s) {
                  multiply_columns(own_x, x.shape.c / groups, grid, tile, weights.of_group(g), own_y, f, s);
                });
}

/// Any convolution but depthwise ones, as one product or another.
template <class T>
void conv2d_product(const TensorView<const T>& x, const T* weight, const TensorView<T>& y, const Window& window,
                    Index groups, const ConvFinish<T>& finish, const ConvStart<T>& start, FixedWeights<T>* fixed) {
  const Index inputs = x.shape.c / groups;
  const Index outputs = y.shape.c / groups;
  const Index depth = inputs * window.area();
  const WeightShape shape{groups, outputs, inputs, window.area()};
  const auto multiply = [&](const auto& weights) { multiply_all(x, weights, y, window, groups, finish, start); };
  const WeightUse use = fixed != nullptr ? WeightUse::many_calls : WeightUse::one_call;
  if (with_winograd(window, y.shape, inputs, outputs, use,
                    [&]<class W>(W) { with_packed<WinogradWeights<T, W>>(weight, shape, fixed, multiply); }))
    return;
  const PatchGrid grid(x.shape, y.shape, window);
  const PlainWeights<T> plain{weight, depth, window.area(), outputs * depth};
  if (fixed == nullptr && few_pixels(grid, y.shape.n)) return multiply_few(x, plain, y, grid, groups, finish, start);
  if (fills_panels<T>(grid)) return multiply_all_columns(x, plain, y, window, groups, finish, start);
  if (fixed == nullptr && on_demand(grid, y.shape.n)) return multiply(PackedOnDemand<T>{weight, shape});
  with_packed<PackedWeights<T>>(weight, shape, fixed, multiply);
}

/// A 1x1 convolution with strided or tiny planes.
template <class T>
void conv2d_laid_out(const TensorView<const T>& x, const T* weight, const TensorView<T>& y, const Window& window,
                     Index groups, const ConvFinish<T>& finish, const ConvStart<T>& start, FixedWeights<T>* fixed) {
  const TensorView<const T> seen = seen_pixels(x, window.stride, y.shape, start);
  if (y.shape.plane() >= tiny_plane)
    return conv2d_product<T>(seen, weight, as_rows(y), Window{}, groups, finish, {}, fixed);
  thread_local Buffer<T> memory;
  const TensorView<T> product = laid_out(y.shape, memory);
  conv2d_product<T>(seen, weight, as_rows(product), Window{}, groups, {}, {}, fixed);
  spread<T>(product, 1, y);
  finish_planes(finish, y);
}

}  // namespace cpu::detail

/// y = finish(weight * start(x)).
///   y(n, o, oy, ox) = finish(sum_{i, ky, kx} weight(o, i, ky, kx) start(x(n, i, oy s + ky - p, ox s + kx - p)))
/// with s = stride, p = padding, zeros outside the plane; i runs over the channels of o's group.
/// requires: shapes that belong together; y overlaps nothing
/// cost: reads x once or a few times from cache, writes y once, finished; reads the weights and writes them, packed,
///       unless they are `fixed` and were seen before
template <class T>
void conv2d(const Cpu&, const TensorView<const T>& x, const T* weight, const TensorView<T>& y, const Window& window,
            Index groups, const ConvFinish<T>& finish = {}, const ConvStart<T>& start = {},
            cpu::FixedWeights<T>* fixed = nullptr) {
  if (y.shape.size() == 0) return;
  if (cpu::is_depthwise(x.shape, y.shape, groups)) {
    cpu::depthwise_conv2d(x, weight, y, window, start);
    cpu::finish_planes(finish, y);
    return;
  }
  if (cpu::wants_layout(window, y.shape))
    return cpu::detail::conv2d_laid_out(x, weight, y, window, groups, finish, start, fixed);
  cpu::detail::conv2d_product(x, weight, y, window, groups, finish, start, fixed);
}

}  // namespace recal
