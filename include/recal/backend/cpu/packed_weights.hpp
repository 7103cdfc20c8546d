// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/transpose.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/transpose_lanes.hpp>

namespace recal::cpu {

/// Of weights [G*outputs, inputs, kernel taps]: sizes of a group.
struct WeightShape {
  Index groups, outputs, inputs, area;
};

/// Taps of a kernel, in an order.
using Taps = std::vector<Index>;

/// All `area` taps from the last on: the kernel turned by half a circle.
inline void turn_taps(Index area, Taps& taps) {
  taps.clear();
  for (Index tap = area - 1; tap >= 0; --tap) taps.push_back(tap);
}

/// to[k*columns + o] = from[o*from_stride + k] for `outputs` of a panel's columns and k < steps, and 0 in the others.
template <class T>
void pack_panel(const T* from, Index outputs, Index steps, Index from_stride, T* to) {
  constexpr Index width = Block<T>::columns;
  transpose(from, outputs, steps, from_stride, to, width);
  if (outputs == width) return;
  for (Index k = 0; k < steps; ++k) std::fill(to + k * width + outputs, to + (k + 1) * width, T{});
}

/// A row of weights as that of a panel: `inputs` of its columns, and 0 in the others.
template <class T>
void turn_row(const T* from, Index inputs, T* to) {
  using P = pack_for<T>;
  constexpr Index width = Block<T>::columns;
  if (inputs < width) {
    std::fill(std::copy_n(from, inputs, to), to + width, T{});
    return;
  }
  for (Index i = 0; i < width; i += P::lanes) store(to + i, load<P>(from + i));
}

/// Weights as the right operands of products with pixels, in panels of Block<T>::columns channels that the product
/// makes. For y = weight * x these are the outputs, and the depth counts (input, tap); for dx = weight^T * dy they are
/// the inputs, and the depth counts (output, tap). They lie in the memory that they are given.
/// cost: reads the weights once, writes them once
template <class T>
class PackedWeights {
 public:
  explicit PackedWeights(Buffer<T>& memory) : memory_(memory) {}

  /// For y = weight * x.
  void pack(const T* weight, const WeightShape& shape) {
    const Index depth = shape.inputs * shape.area;
    prepare(shape.groups, shape.outputs, depth);
    const Index pieces = (depth + piece_depth - 1) / piece_depth;
    parallel_for(shape.groups * panels_ * pieces, 1 + piece_depth / depth, [&](Index index) {
      const Index first = index % pieces * piece_depth;
      const Index panel = index / pieces % panels_;
      const Index group = index / (pieces * panels_);
      const Index own = std::min(piece_depth, depth - first);
      const Index outputs = std::min(width, shape.outputs - panel * width);
      pack_panel(weight + (group * shape.outputs + panel * width) * depth + first, outputs, own, depth,
                 panel_data(group, panel) + first * width);
    });
  }

  /// For dx = weight^T * dy: all taps, the kernel turned by half a circle.
  void turn(const T* weight, const WeightShape& shape) {
    Kept<Taps> turned;
    turn_taps(shape.area, *turned);
    turn(weight, shape, {&*turned, 1});
  }

  /// For dx = weight^T * dy, with some of the taps in the order that each of `parts` names: every part is an operand by
  /// itself.
  void turn(const T* weight, const WeightShape& shape, std::span<const Taps> parts) {
    Index taps = 0;
    for (const Taps& part : parts) taps += static_cast<Index>(part.size());
    prepare(shape.groups, shape.inputs, shape.outputs * taps);
    const Index bands = (shape.outputs + band - 1) / band;
    parallel_for(shape.groups * bands, 1 + 16384 / (band * shape.inputs * shape.area), [&](Index index) {
      const Index group = index / bands;
      const Index first = index % bands * band;
      const Index last = std::min(shape.outputs, first + band);
      for (Index panel = 0; panel < panels_; ++panel)
        for (Index o = first; o < last; ++o)
          turn_output(weight + group * shape.outputs * shape.inputs * shape.area, shape, panel * width, o, parts,
                      panel_data(group, panel));
    });
  }

  [[nodiscard]] Index panels() const { return panels_; }

  /// What a product takes: the weights of a group, from a step of the depth and from a panel on.
  struct Group {
    const PackedWeights& weights;
    Index group;
    Index first_step = 0;
    Index first_panel = 0;

    [[nodiscard]] const T* panel(Index panel, Index step, Index) const {
      return weights.panel(group, first_panel + panel, first_step + step);
    }
  };

  [[nodiscard]] Group of_group(Index group) const { return {*this, group}; }

  /// A panel of a group from a step of the depth on; of a part, that many steps stand before it.
  [[nodiscard]] const T* panel(Index group, Index panel, Index step) const {
    return memory_.data() + (group * panels_ + panel) * panel_size_ + step * width;
  }

 private:
  static constexpr Index width = Block<T>::columns;
  static constexpr Index lanes = pack_for<T>::lanes;
  /// Steps of the depth that are packed in one go.
  static constexpr Index piece_depth = 512;
  /// Outputs that are turned together: their weights are read in that many streams.
  static constexpr Index band = 8;

  void prepare(Index groups, Index channels, Index depth) {
    panels_ = (channels + width - 1) / width;
    panel_size_ = depth * width;
    renew(memory_, groups * panels_ * panel_size_);
  }

  [[nodiscard]] T* panel_data(Index group, Index panel) {
    return memory_.data() + (group * panels_ + panel) * panel_size_;
  }

  /// Of every part: to[(output, tap)][input] for the inputs of one panel, of output o.
  static void turn_output(const T* weight, const WeightShape& shape, Index input, Index o, std::span<const Taps> parts,
                          T* to) {
    const Index own = std::min(width, shape.inputs - input);
    const T* end = weight + shape.outputs * shape.inputs * shape.area;
    const T* from = weight + (o * shape.inputs + input) * shape.area;
    const auto for_each_part = [&](const auto& turn) {
      T* part_begin = to;
      for (const Taps& part : parts) {
        const Index row_size = static_cast<Index>(part.size()) * width;
        turn(part, part_begin + o * row_size);
        part_begin += shape.outputs * row_size;
      }
    };
    if (shape.area == 1)
      for_each_part([&](const Taps& taps, T* row) {
        if (!taps.empty()) turn_row(from, own, row);
      });
    else if (own == width && shape.area <= lanes && from + (width - 1) * shape.area + lanes <= end)
      for (Index i = 0; i < width; i += lanes) {
        const Square square = turned_square(from + i * shape.area, shape.area);
        for_each_part([&](const Taps& taps, T* row) { store_taps(square, taps, row + i); });
      }
    else
      for_each_part([&](const Taps& taps, T* row) { turn_one_by_one(from, own, shape.area, taps, row); });
  }

  using Square = std::array<pack_for<T>, static_cast<std::size_t>(lanes)>;

  /// square[tap].v[i] = from[i*area + tap] for a register of inputs.
  /// requires: area <= lanes; a register is readable from every from[i*area] on
  [[nodiscard]] static Square turned_square(const T* from, Index area) {
    Square square;
    for (Index i = 0; i < lanes; ++i) at(square, i) = load<pack_for<T>>(from + i * area);
    transpose_lanes(square);
    return square;
  }

  /// row[t*width + i] = square[taps[t]].v[i]
  static void store_taps(const Square& square, const Taps& taps, T* row) {
    for (const Index tap : taps) {
      store(row, at(square, tap));
      row += width;
    }
  }

  /// row[t*width + i] = from[i*area + taps[t]] for any number of inputs, with zeros in the columns where there are
  /// none.
  static void turn_one_by_one(const T* from, Index inputs, Index area, const Taps& taps, T* row) {
    for (const Index tap : taps) {
      for (Index i = 0; i < inputs; ++i) row[i] = from[i * area + tap];
      std::fill(row + inputs, row + width, T{});
      row += width;
    }
  }

  Buffer<T>& memory_;
  Index panels_ = 0;
  Index panel_size_ = 0;
};

}  // namespace recal::cpu
