// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cpu/conv2d.hpp>
#include <recal/backend/cpu/conv2d_phases.hpp>
#include <recal/backend/cpu/transpose.hpp>
#include <recal/backend/cpu/turned_weights.hpp>

namespace recal {

namespace cpu::detail {

/// dx as a convolution of dy with the turned kernel: for stride 1 and padding < kernel.
template <class T>
void backward_data_turned(const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx, const Window& window,
                          Index groups, const ConvFinish<T>& finish) {
  const Window turned{window.kernel, 1, window.kernel - 1 - window.padding};
  const PatchGrid grid(dy.shape, dx.shape, turned);
  const Index inputs = dx.shape.c / groups;
  const Index outputs = dy.shape.c / groups;
  TurnedWeights<T>& weights = layout_scratch<T>().weights;
  weights.turn(weight, {groups, outputs, inputs, window.area()});
  for_each_tile<T>(dx.shape.n * grid.positions(), inputs, groups, gather_cost(window), [&](Index g, const Tile& tile) {
    const auto left = [&](Index row, Index channel) { return weights.left(g, row, channel); };
    multiply_patches(from_channel(dy, g * outputs), outputs, grid, tile, left, from_channel(dx, g * inputs),
                     finish.from_channel(g * inputs));
  });
}

/// dx of a 1x1 convolution with strided or tiny planes.
template <class T>
void backward_data_pointwise(const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx,
                             const Window& window, Index groups) {
  LayoutScratch<T>& scratch = layout_scratch<T>();
  TensorView<const T> gradient;
  if (dy.shape.plane() < tiny_plane) {
    const TensorView<T> joined = laid_out(dy.shape, scratch.input);
    subsample(dy, 1, joined);
    gradient = as_rows<const T>(joined);
  } else {
    gradient = as_rows(dy);
  }
  const TensorView<T> product = laid_out({dx.shape.n, dx.shape.c, dy.shape.h, dy.shape.w}, scratch.output);
  backward_data_turned<T>(gradient, weight, as_rows(product), Window{}, groups, {});
  spread<T>(product, window.stride, dx);
}

/// dweight += dy x patches^T for some channels of x and some of dy: all pixels, in order.
struct WeightBlock {
  Index channel, channels;  ///< of x, within the group
  Index output, outputs;    ///< of dy, within the group
};

template <class T>
void backward_weight_block(const TensorView<const T>& x, const TensorView<const T>& dy, const PatchGrid& grid,
                           const ConvStart<T>& start, const WeightBlock& block, T* dweight, Index dweight_stride) {
  using B = Block<T>;
  const Index positions = grid.positions();
  const Index total = x.shape.n * positions;
  const Index area = grid.area();
  const Index columns = block.channels * area;
  const Index whole_images = positions < B::depth ? B::depth / positions * positions : B::depth;
  const PatchGrid pixels({dy.shape.n, dy.shape.c, 1, positions}, {dy.shape.n, dy.shape.c, 1, positions}, Window{});
  const Index panels = (columns + B::columns - 1) / B::columns;
  ProductScratch<T>& scratch = product_scratch<T>();
  resize(scratch.panels, panels * B::depth * B::columns);
  if (columns % B::columns != 0) std::fill(scratch.panels.begin(), scratch.panels.end(), T{});
  for (Index first = 0; first < total;) {
    const Index image = first / positions;
    const Index last = std::min({total, first + whole_images, positions < B::depth ? total : (image + 1) * positions});
    const Index depth = last - first;

    const bool one_image = (last - 1) / positions == image;
    ConvStart<T> turning = start.from_channel(block.channel);
    const T* rows = x.plane(image, block.channel) + (first - image * positions);
    Index row_stride = x.stride_c;
    Index row_count = columns;
    if (!one_image || !grid.pixelwise()) {
      row_count = TaskGrid::round_up(columns, B::P::lanes);  // whole squares are turned faster
      resize(scratch.rows, row_count * depth);
      scratch.patches.prepare(grid, first, last, depth, start);
      turning = {};
      scratch.patches.gather(x, block.channel, block.channels, scratch.rows.data());
      std::fill(scratch.rows.begin() + columns * depth, scratch.rows.end(), T{});
      rows = scratch.rows.data();
      row_stride = depth;
    }
    for (Index panel = 0; panel < panels; ++panel)
      transpose(rows + panel * B::columns * row_stride, std::min(B::columns, row_count - panel * B::columns), depth,
                row_stride, scratch.panels.data() + panel * depth * B::columns, B::columns,
                turning.from_channel(panel * B::columns));

    Left<T> left{};
    if (one_image) {
      left = {dy.plane(image, block.output) + (first - image * positions), dy.stride_c, 1};
    } else {
      resize(scratch.left, block.outputs * depth);
      scratch.other_patches.prepare(pixels, first, last, depth);
      scratch.other_patches.gather(dy, block.output, block.outputs, scratch.left.data());
      left = {scratch.left.data(), depth, 1};
    }
    for (Index row = 0; row < block.outputs; row += B::rows)
      for (Index panel = 0; panel < panels; ++panel)
        multiply_block(std::min<Index>(B::rows, block.outputs - row),
                       std::min(B::columns, columns - panel * B::columns), depth,
                       Left<T>{left.data + row * left.row_stride, left.row_stride, 1},
                       scratch.panels.data() + panel * depth * B::columns,
                       dweight + row * dweight_stride + panel * B::columns, dweight_stride, true);
    first = last;
  }
}

template <class T>
void backward_weight_gathered(const TensorView<const T>& x, const TensorView<const T>& dy, T* dweight,
                              const Window& window, Index groups, const ConvStart<T>& start) {
  const PatchGrid grid(x.shape, dy.shape, window);
  const Index inputs = x.shape.c / groups;
  const Index outputs = dy.shape.c / groups;
  const Index area = window.area();
  // Every block gathers and turns patches of its own, every split does that once more.
  Index channels = 0;
  Index blocks = 0;
  for (Index columns = Block<T>::tile_columns; columns >= 64 && groups * blocks < 8; columns /= 2) {
    channels = std::clamp<Index>(columns / area, 1, inputs);
    blocks = (inputs + channels - 1) / channels;
  }
  const bool few = groups * blocks < 4;
  const Index wanted = few ? (4 + groups * blocks - 1) / (groups * blocks) : 8 / (groups * blocks);
  const Index splits = std::clamp<Index>(wanted, 1, std::max<Index>(1, outputs / (few ? 32 : 128)));
  const Index step = TaskGrid::round_up((outputs + splits - 1) / splits, Block<T>::rows);

  parallel_for(groups * blocks * splits, [&](Index index) {
    const Index g = index / (blocks * splits);
    const Index channel = index / splits % blocks * channels;
    const Index output = index % splits * step;
    if (output >= outputs) return;
    const WeightBlock block{channel, std::min(channels, inputs - channel), output, std::min(step, outputs - output)};
    backward_weight_block(from_channel(x, g * inputs), from_channel(dy, g * outputs), grid,
                          start.from_channel(g * inputs), block,
                          dweight + ((g * outputs + output) * inputs + channel) * area, inputs * area);
  });
}

/// dweight of a 1x1 convolution with strided or tiny planes.
template <class T>
void backward_weight_pointwise(const TensorView<const T>& x, const TensorView<const T>& dy, T* dweight,
                               const Window& window, Index groups, const ConvStart<T>& start) {
  LayoutScratch<T>& scratch = layout_scratch<T>();
  const TensorView<T> seen = laid_out({x.shape.n, x.shape.c, dy.shape.h, dy.shape.w}, scratch.input);
  subsample(x, window.stride, seen, start);
  TensorView<const T> gradient;
  if (dy.shape.plane() < tiny_plane) {
    const TensorView<T> joined = laid_out(dy.shape, scratch.output);
    subsample(dy, 1, joined);
    gradient = as_rows<const T>(joined);
  } else {
    gradient = as_rows(dy);
  }
  backward_weight_gathered<T>(as_rows<const T>(seen), gradient, dweight, Window{}, groups, {});
}

template <class T>
void backward_bias(const TensorView<const T>& dy, T* dbias) {
  parallel_for(dy.shape.c, 1 + 16384 / (1 + dy.shape.n * dy.shape.plane()), [&](Index c) {
    double sum = 0;
    for (Index n = 0; n < dy.shape.n; ++n) {
      const T* plane = dy.plane(n, c);
      for (Index k = 0; k < dy.shape.plane(); ++k) sum += static_cast<double>(plane[k]);
    }
    dbias[c] += static_cast<T>(sum);
  });
}

}  // namespace cpu::detail

/// dx = finish(weight^T * dy), the gradient of conv2d's input; assigned. A gradient that comes another way is the
/// finish's shortcut.
/// requires: shapes that belong together; dx overlaps nothing
template <class T>
void conv2d_backward_data(const Cpu&, const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx,
                          const Window& window, Index groups, const ConvFinish<T>& finish = {}) {
  if (dx.shape.size() == 0) return;
  const bool depthwise = cpu::is_depthwise(dx.shape, dy.shape, groups);
  const bool layout = cpu::wants_layout(window, dy.shape);
  if (!depthwise && !layout && window.stride == 1 && window.padding < window.kernel)
    return cpu::detail::backward_data_turned(dy, weight, dx, window, groups, finish);
  if (depthwise)
    cpu::depthwise_conv2d_backward_data(dy, weight, dx, window);
  else if (layout)
    cpu::detail::backward_data_pointwise(dy, weight, dx, window, groups);
  else
    cpu::backward_data_phased(dy, weight, dx, window, groups);
  cpu::finish_planes(finish, dx);
}

/// dweight += dy * start(x)^T and, where dbias is not null, dbias(o) += sum_{n, oy, ox} dy(n, o, oy, ox).
/// requires: shapes that belong together
/// cost: reads dy and x from cache several times, dweight once and writes it once for every Block::depth pixels
template <class T>
void conv2d_backward_weight(const Cpu&, const TensorView<const T>& x, const TensorView<const T>& dy, T* dweight,
                            T* dbias, const Window& window, Index groups, const ConvStart<T>& start = {}) {
  if (dy.shape.size() == 0) return;
  if (cpu::is_depthwise(x.shape, dy.shape, groups))
    cpu::depthwise_conv2d_backward_weight(x, dy, dweight, window, start);
  else if (cpu::wants_layout(window, dy.shape))
    cpu::detail::backward_weight_pointwise(x, dy, dweight, window, groups, start);
  else
    cpu::detail::backward_weight_gathered(x, dy, dweight, window, groups, start);
  if (dbias != nullptr) cpu::detail::backward_bias(dy, dbias);
}

}  // namespace recal
