// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cpu/conv2d.hpp>
#include <recal/backend/cpu/transpose.hpp>

namespace recal {

namespace cpu::detail {

/// The weights [O, I/G, k, k] as the left operands of dx = weight^T * dy: for every Block<T>::rows input channels of a
/// group together, (o, ky, kx) with the kernel turned by half a circle, and of each the numbers of those channels.
template <class T>
class TurnedWeights {
 public:
  TurnedWeights(const T* weight, Index outputs, Index inputs, Index area, Index groups, Buffer<T>& memory)
      : inputs_(inputs), area_(area), blocks_((inputs + step - 1) / step), block_size_(outputs * area * step + apart) {
    resize(memory, groups * blocks_ * block_size_);
    data_ = memory.data();
    const Index bands = (outputs + band - 1) / band;
    parallel_for(groups * bands, 1 + 65536 / (band * inputs * area), [&](Index index) {
      const Index first = index % bands * band;
      turn_band(weight + (index / bands * outputs + first) * inputs * area, std::min(band, outputs - first),
                memory.data() + index / bands * blocks_ * block_size_ + first * area * step);
    });
  }

  /// Rows from `row` on, a multiple of Block<T>::rows, and outputs from `output` on.
  [[nodiscard]] Left<T> left(Index group, Index row, Index output) const {
    return {data_ + (group * blocks_ + row / step) * block_size_ + output * area_ * step, 1, step};
  }

 private:
  static constexpr Index step = Block<T>::rows;
  /// Outputs that are turned together: their weights are read in that many streams.
  static constexpr Index band = 8;
  /// Between blocks: a power of two apart they would be in each other's way in the cache.
  static constexpr Index apart = 64 / sizeof(T);

  /// turn_outputs() of all blocks, unrolled where sizes are the common ones.
  void turn_band(const T* from, Index outputs, T* to) const {
    const Index whole = inputs_ / step;
    if (area_ == 9)
      turn_blocks(from, outputs, whole, 9, to);
    else if (area_ == 1)
      turn_blocks(from, outputs, whole, 1, to);
    else
      turn_blocks(from, outputs, whole, area_, to);
    if (whole < blocks_)
      turn_outputs(from + whole * step * area_, outputs, inputs_ - whole * step, area_, to + whole * block_size_);
  }

  [[gnu::always_inline]] void turn_blocks(const T* from, Index outputs, Index blocks, Index area, T* to) const {
    const Index block_size = block_size_;
    for (Index block = 0; block < blocks; ++block)
      turn_outputs(from + block * step * area, outputs, step, area, to + block * block_size);
  }

  /// to[output][tap turned][row] = from[output][row][tap]
  [[gnu::always_inline]] void turn_outputs(const T* from, Index outputs, Index rows, Index area, T* to) const {
    const Index stride = inputs_ * area;
    for (Index o = 0; o < outputs; ++o, from += stride, to += area * step)
      for (Index r = 0; r < rows; ++r)
        for (Index tap = 0; tap < area; ++tap) to[(area - 1 - tap) * step + r] = from[r * area + tap];
  }

  Index inputs_;
  Index area_;
  Index blocks_;
  Index block_size_;
  const T* data_ = nullptr;
};

/// dx as a convolution of dy with the turned kernel: for stride 1 and padding < kernel.
template <class T>
void backward_data_turned(const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx, const Window& window,
                          Index groups, const ConvFinish<T>& finish) {
  const Window turned{window.kernel, 1, window.kernel - 1 - window.padding};
  const PatchGrid grid(dy.shape, dx.shape, turned);
  const Index inputs = dx.shape.c / groups;
  const Index outputs = dy.shape.c / groups;
  const Index area = window.area();
  const TurnedWeights<T> weights(weight, outputs, inputs, area, groups, layout_scratch<T>().weights);
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

/// plane += what the taps of one channel give: `taps` holds [ky, kx][out_h*out_w], rows `pitch` apart.
template <class T>
void scatter_taps(const T* taps, Index pitch, Index out_h, Index out_w, const Window& window, Index h, Index w,
                  T* plane) {
  for (Index ky = 0; ky < window.kernel; ++ky)
    for (Index kx = 0; kx < window.kernel; ++kx, taps += pitch) {
      const TapReach reach(window, kx, w, out_w);
      for (Index oy = 0; oy < out_h; ++oy) {
        const Index y = oy * window.stride + ky - window.padding;
        if (y < 0 || y >= h) continue;
        T* to = plane + y * w + reach.shift;
        for (Index ox = reach.first; ox < reach.last; ++ox) to[ox * window.stride] += taps[oy * out_w + ox];
      }
    }
}

/// Up to Block<T>::rows numbers, unrolled where it is all of them.
template <class T>
void copy_row(Index count, const T* from, T* to) {
  std::copy_n(from, count == Block<T>::rows ? Block<T>::rows : count, to);
}

/// dx by scattering: for whole images and a few channels, weight^T * dy, then every tap goes where it came from.
template <class T>
void backward_data_scattered(const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx,
                             const Window& window, Index groups) {
  using B = Block<T>;
  constexpr Index elements = 65536;  // of a tile's product: it stays in the second cache
  const PatchGrid pixels({dy.shape.n, dy.shape.c, 1, dy.shape.plane()}, {dy.shape.n, dy.shape.c, 1, dy.shape.plane()},
                         Window{});
  const Index inputs = dx.shape.c / groups;
  const Index outputs = dy.shape.c / groups;
  const Index area = window.area();
  const Index images = std::clamp<Index>(B::tile_columns / pixels.positions(), 1, dx.shape.n);
  const Index pitch = TaskGrid::round_up(images * pixels.positions(), B::columns);
  const Index channels = std::clamp<Index>(elements / (pitch * area), 1, inputs);
  const Index tiles = (dx.shape.n + images - 1) / images;
  const Index splits = (inputs + channels - 1) / channels;

  parallel_for(groups * tiles * splits, [&](Index index) {
    const Index g = index / (tiles * splits);
    const Index image = index / splits % tiles * images;
    const Index image_end = std::min(dx.shape.n, image + images);
    const Index channel = index % splits * channels;
    const Index rows = std::min(channels, inputs - channel) * area;
    ProductScratch<T>& scratch = product_scratch<T>();
    scratch.patches.prepare(pixels, image * pixels.positions(), image_end * pixels.positions(), B::columns);
    resize(scratch.sums, rows * pitch);
    resize(scratch.left, B::depth * B::rows);
    resize(scratch.panels, scratch.patches.panels() * std::min(B::depth, outputs) * B::columns);

    for (Index o = 0; o < outputs; o += B::depth) {
      const Index depth = std::min(B::depth, outputs - o);
      scratch.patches.gather(from_channel(dy, g * outputs), o, depth, scratch.panels.data());
      for (Index row = 0; row < rows; row += B::rows) {
        const Index count = std::min<Index>(B::rows, rows - row);
        const T* from = weight + ((g * outputs + o) * inputs + channel) * area + row;
        for (Index k = 0; k < depth; ++k) copy_row(count, from + k * inputs * area, scratch.left.data() + k * B::rows);
        for (Index panel = 0; panel < scratch.patches.panels(); ++panel)
          multiply_block(count, B::columns, depth, Left<T>{scratch.left.data(), 1, B::rows},
                         scratch.panels.data() + panel * depth * B::columns,
                         scratch.sums.data() + row * pitch + panel * B::columns, pitch, o > 0);
      }
    }
    for (Index n = image; n < image_end; ++n)
      for (Index c = 0; c < rows / area; ++c) {
        T* plane = dx.plane(n, g * inputs + channel + c);
        std::fill_n(plane, dx.shape.plane(), T{});
        scatter_taps(scratch.sums.data() + c * area * pitch + (n - image) * pixels.positions(), pitch, dy.shape.h,
                     dy.shape.w, window, dx.shape.h, dx.shape.w, plane);
      }
  });
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
  const Index area = grid.window.area();
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
    if (!one_image || grid.window != Window{}) {
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
    cpu::detail::backward_data_scattered(dy, weight, dx, window, groups);
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
