// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/cpu/few_product.hpp>
#include <recal/backend/cpu/packed_weights.hpp>
#include <recal/backend/cpu/pixel_product.hpp>
#include <recal/backend/cpu/plain_weights.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>
#include <recal/core/parallel.hpp>

/// The data gradient of strided convolutions. Pixels of dx whose coordinates leave the same remainders, divided by the
/// stride, see the same taps of the kernel: such a *phase* of dx is a convolution of dy with stride 1 and those taps.
/// So nothing is multiplied by the zeros between the pixels of dy, and the phases are put together while they are in
/// cache.
namespace recal::cpu {

/// The pixels first + u*stride of dx along one axis, u < count, and the taps remainder + t*stride that reach them.
struct AxisPhase {
  Index count;
  Index remainder;
  Index taps;
  Index padding;  ///< of the convolution with the taps in falling order

  AxisPhase(const Window& window, Index first, Index size)
      : count(first < size ? (size - 1 - first) / window.stride + 1 : 0),
        remainder((first + window.padding) % window.stride),
        taps(remainder < window.kernel ? (window.kernel - 1 - remainder) / window.stride + 1 : 0),
        padding(taps - 1 - (first + window.padding) / window.stride) {}
};

/// One phase of dx: its pixels as the outputs of a convolution of dy.
struct Phase {
  PatchGrid grid;
  Index columns;      ///< of dx's plane
  Index taps_before;  ///< of the phases before it, in the packed weights

  Phase(const AxisPhase& y, const AxisPhase& x, const Shape& dy, Index before) : columns(x.count), taps_before(before) {
    grid.in_h = dy.h;
    grid.in_w = dy.w;
    grid.out_h = y.count;
    grid.out_w = x.count;
    grid.kernel_h = y.taps;
    grid.kernel_w = x.taps;
    grid.padding_h = y.padding;
    grid.padding_w = x.padding;
    grid.join_rows();
  }
};

/// All phases of a call, by the remainders of y and x, and the taps of each.
struct Phases {
  std::vector<Phase> all;
  std::vector<Taps> taps;

  void list(const Window& window, const Shape& dy, const Shape& dx) {
    const Index stride = window.stride;
    all.clear();
    taps.resize(static_cast<std::size_t>(stride * stride));
    Index before = 0;
    for (Index phase = 0; phase < stride * stride; ++phase) {
      const AxisPhase y(window, phase / stride, dx.h);
      const AxisPhase x(window, phase % stride, dx.w);
      all.emplace_back(y, x, dy, before);
      before += y.taps * x.taps;
      Taps& own = at(taps, phase);
      own.clear();
      for (Index ty = y.taps - 1; ty >= 0; --ty)
        for (Index tx = x.taps - 1; tx >= 0; --tx)
          own.push_back((y.remainder + ty * stride) * window.kernel + x.remainder + tx * stride);
    }
  }
};

/// Kept for the next call.
[[nodiscard]] inline Phases& phase_scratch() {
  thread_local Phases phases;
  return phases;
}

/// Memory for the phases of one block.
template <class T>
[[nodiscard]] Buffer<T>& phase_planes() {
  thread_local Buffer<T> planes;
  return planes;
}

/// to[v*stride + f] = from[f][v] for a row of dx; count(f) numbers of phase f.
template <class T, class From, class Count>
void join_row(Index stride, const From& from, const Count& count, T* to) {
  if (stride == 2) {
    const T* even = from(0);
    const T* odd = from(1);
    const Index pairs = count(1);
    for (Index v = 0; v < pairs; ++v) {
      to[2 * v] = even[v];
      to[2 * v + 1] = odd[v];
    }
    if (count(0) > pairs) to[2 * pairs] = even[pairs];
    return;
  }
  for (Index f = 0; f < stride; ++f) {
    const T* own = from(f);
    for (Index v = 0; v < count(f); ++v) to[v * stride + f] = own[v];
  }
}

/// Images and channels of dx that one task works on.
struct PhaseBlock {
  Index image, images;
  Index group;
  Index channel, channels;  ///< within the group
};

/// The phases of a block, in memory that is kept for the next one.
template <class T>
class PhasePlanes {
 public:
  PhasePlanes(const std::vector<Phase>& phases, const PhaseBlock& block)
      : phases_(phases),
        block_(block),
        size_(phases.front().grid.positions() * block.channels * block.images),  // the first is the largest
        memory_(phase_planes<T>()) {
    resize(memory_, static_cast<Index>(phases.size()) * size_);
  }

  [[nodiscard]] TensorView<T> operator[](Index phase) const {
    const PatchGrid& grid = at(phases_, phase).grid;
    return {memory_.data() + phase * size_, {block_.images, block_.channels, grid.out_h, grid.out_w}};
  }

  /// multiply(phase, planes of it) on those that have pixels and taps; those that no tap reaches are 0.
  template <class Multiply>
  void make(const Multiply& multiply) const {
    for (Index phase = 0; phase < static_cast<Index>(phases_.size()); ++phase) {
      const TensorView<T> own = (*this)[phase];
      if (at(phases_, phase).grid.area() == 0)
        std::fill_n(own.data, own.shape.size(), T{});
      else if (own.shape.size() > 0)
        multiply(phase, own);
    }
  }

  /// The block of dx that they make up. dx begins at the group's channels.
  void join(Index stride, const TensorView<T>& dx) const {
    for (Index n = 0; n < block_.images; ++n)
      for (Index c = 0; c < block_.channels; ++c)
        for (Index y = 0; y < dx.shape.h; ++y) {
          const Index in_row = y % stride * stride;
          const auto count = [&](Index f) { return at(phases_, in_row + f).columns; };
          join_row(
              stride, [&](Index f) { return (*this)[in_row + f].plane(n, c) + y / stride * count(f); }, count,
              dx.plane(block_.image + n, block_.channel + c) + y * dx.shape.w);
        }
  }

 private:
  const std::vector<Phase>& phases_;
  PhaseBlock block_;
  Index size_;
  Buffer<T>& memory_;
};

/// dx for one block. dy and dx begin at the group's channels, of which dy has `outputs`.
template <class T>
void backward_data_block(const std::vector<Phase>& phases, Index stride, const PackedWeights<T>& weights, Index outputs,
                         const TensorView<const T>& dy, const TensorView<T>& dx, const PhaseBlock& block) {
  const TensorView<const T> gradient{
      dy.plane(block.image, 0), {block.images, outputs, dy.shape.h, dy.shape.w}, dy.stride_n, dy.stride_c};
  const PhasePlanes<T> planes(phases, block);
  planes.make([&](Index phase, const TensorView<T>& own) {
    const PatchGrid& grid = at(phases, phase).grid;
    const TaskGrid tiles(tile_sizes<T>(grid, block.images, block.channels, block.channels), enough_tasks);
    const typename PackedWeights<T>::Group operand{weights, block.group, at(phases, phase).taps_before * outputs,
                                                   block.channel / Block<T>::columns};
    for (Index tile = 0; tile < tiles.size(); ++tile)
      multiply_pixels(gradient, outputs, grid, tiles[tile], operand, own);
  });
  planes.join(stride, dx);
}

/// dx = weight^T * dy where pixels are few: weights where they lie, and the patches of all phases gathered once for all
/// tasks.
template <class T>
void backward_data_few(const TensorView<const T>& dy, const T* weight, const WeightShape& shape,
                       const TensorView<T>& dx, Index stride, const Phases& phases) {
  Kept<Buffer<T>> patches;
  Kept<std::vector<Index>> begins;
  begins->assign(1, 0);
  for (const Phase& phase : phases.all)
    begins->push_back(begins->back() + PatchRows<T>(phase.grid, dx.shape.n, shape.outputs).size(shape.groups));
  resize(*patches, begins->back());
  for (Index phase = 0; phase < static_cast<Index>(phases.all.size()); ++phase)
    if (const PatchGrid& grid = at(phases.all, phase).grid; grid.area() > 0 && grid.positions() > 0)
      gather_all(dy, grid, PatchRows<T>(grid, dx.shape.n, shape.outputs), shape.groups, {},
                 patches->data() + at(*begins, phase));
  const Index pieces = (shape.inputs + few_outputs<T> - 1) / few_outputs<T>;
  parallel_for(shape.groups * pieces, [&](Index index) {
    const Index group = index / pieces;
    const Index first = index % pieces * few_outputs<T>;
    const PhaseBlock block{0, dx.shape.n, group, first, std::min(few_outputs<T>, shape.inputs - first)};
    const PhasePlanes<T> planes(phases.all, block);
    planes.make([&](Index phase, const TensorView<T>& own) {
      const PatchGrid& grid = at(phases.all, phase).grid;
      const PatchRows<T> rows(grid, dx.shape.n, shape.outputs);
      const PlainWeights<T> weights{weight + (group * shape.outputs * shape.inputs + first) * shape.area, shape.area,
                                    shape.inputs * shape.area, 0, &at(phases.taps, phase)};
      multiply_patches(patches->data() + at(*begins, phase) + group * rows.group_size, rows.pitch, shape.outputs, grid,
                       Tile{0, rows.pixels, 0, block.channels}, weights, own, {});
    });
    planes.join(stride, from_channel(dx, group * shape.inputs));
  });
}

/// dx = weight^T * dy for any window.
template <class T>
void backward_data_phased(const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx, const Window& window,
                          Index groups) {
  constexpr Index elements = Index{1} << 19U;  // of a block's phases: they stay in cache
  const WeightShape shape{groups, dy.shape.c / groups, dx.shape.c / groups, window.area()};
  const Index stride = window.stride;
  Phases& phases = phase_scratch();
  phases.list(window, dy.shape, dx.shape);
  if (few_pixels(phases.all.front().grid, dx.shape.n)) return backward_data_few(dy, weight, shape, dx, stride, phases);
  Kept<Buffer<T>> memory;
  PackedWeights<T> weights(*memory);
  weights.turn(weight, shape, phases.taps);
  const Index positions = phases.all.front().grid.positions();
  const Index most_images = std::clamp<Index>(TaskGrid::most_pixels / positions, 1, dx.shape.n);
  const Index tiles = (dx.shape.n + most_images - 1) / most_images;
  const Index images = (dx.shape.n + tiles - 1) / tiles;
  const Index wanted = std::max<Index>(64, elements / (stride * stride * positions * images));
  const Index splits = (shape.inputs + wanted - 1) / wanted;
  const Index panels = (shape.inputs + splits * Block<T>::columns - 1) / (splits * Block<T>::columns);
  const Index channels = panels * Block<T>::columns;
  parallel_for(groups * tiles * splits, [&](Index index) {
    const Index group = index / (tiles * splits);
    const Index image = index / splits % tiles * images;
    const Index channel = index % splits * channels;
    if (channel >= shape.inputs || image >= dx.shape.n) return;
    const PhaseBlock block{image, std::min(images, dx.shape.n - image), group, channel,
                           std::min(channels, shape.inputs - channel)};
    backward_data_block(phases.all, stride, weights, shape.outputs, from_channel(dy, group * shape.outputs),
                        from_channel(dx, group * shape.inputs), block);
  });
}

}  // namespace recal::cpu
