// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/cpu/block.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/parallel.hpp>

namespace recal::cpu {

/// Of weights [G*outputs, inputs, kernel taps]: sizes of a group.
struct WeightShape {
  Index groups, outputs, inputs, area;
};

/// The weights as the left operands of dx = weight^T * dy: for every Block<T>::rows input channels of a group together,
/// (o, tap) in the order of the right operand's rows, and of each the numbers of those channels. Keeps its memory from
/// one call to the next.
template <class T>
class TurnedWeights {
 public:
  /// All taps, the kernel turned by half a circle.
  void turn(const T* weight, const WeightShape& shape) {
    prepare(shape, shape.area);
    turn_all(weight, [this](const T* from, Index outputs, Index output, T* to) {
      turn_band(from, outputs, to + output * shape_.area * step);
    });
  }

  /// Parts of the kernel one after the other, each an operand by itself: all of its taps in the order that it names.
  void turn(const T* weight, const WeightShape& shape, const std::vector<std::vector<Index>>& parts) {
    Index taps = 0;
    for (const auto& part : parts) taps += static_cast<Index>(part.size());
    prepare(shape, taps);
    turn_all(weight, [&](const T* from, Index outputs, Index output, T* to) {
      for (const auto& part : parts) {
        const auto own = static_cast<Index>(part.size());
        turn_blocks(
            from, outputs, shape_.area, own, [&](Index tap) { return at(part, tap); }, to + output * own * step);
        to += shape_.outputs * own * step;
      }
    });
  }

  /// Rows from `row` on, a multiple of Block<T>::rows, and outputs from `output` on.
  [[nodiscard]] Left<T> left(Index group, Index row, Index output) const {
    return left(group, row, {0, shape_.area}, output);
  }

  /// The same of a part with `taps` taps, of which the parts before it have `before`.
  struct Part {
    Index before, taps;
  };
  [[nodiscard]] Left<T> left(Index group, Index row, const Part& part, Index output) const {
    return {data_.data() + (group * blocks_ + row / step) * block_size_ +
                (part.before * shape_.outputs + output * part.taps) * step,
            1, step};
  }

 private:
  static constexpr Index step = Block<T>::rows;
  /// Outputs that are turned together: their weights are read in that many streams.
  static constexpr Index band = 8;
  /// Between blocks: a power of two apart they would be in each other's way in the cache.
  static constexpr Index apart = 64 / sizeof(T);

  void prepare(const WeightShape& shape, Index taps) {
    shape_ = shape;
    blocks_ = (shape.inputs + step - 1) / step;
    block_size_ = shape.outputs * taps * step + apart;
    resize(data_, shape.groups * blocks_ * block_size_);
  }

  /// turn(from, outputs, first output, the group's first block) for all bands.
  template <class Turn>
  void turn_all(const T* weight, const Turn& turn) {
    const auto [groups, outputs, inputs, area] = shape_;
    const Index bands = (outputs + band - 1) / band;
    parallel_for(groups * bands, 1 + 65536 / (band * inputs * area), [&, outputs = outputs](Index index) {
      const Index group = index / bands;
      const Index first = index % bands * band;
      turn(weight + (group * outputs + first) * shape_.inputs * shape_.area, std::min(band, outputs - first), first,
           data_.data() + group * blocks_ * block_size_);
    });
  }

  /// Of a whole kernel, unrolled where sizes are the common ones.
  void turn_band(const T* from, Index outputs, T* to) const {
    const auto whole = [&](Index area) __attribute__((always_inline)) {
      turn_blocks(
          from, outputs, area, area, [area](Index tap) { return area - 1 - tap; }, to);
    };
    if (shape_.area == 9)
      whole(9);
    else if (shape_.area == 1)
      whole(1);
    else
      whole(shape_.area);
  }

  template <class TapOf>
  [[gnu::always_inline]] void turn_blocks(const T* from, Index outputs, Index area, Index taps, const TapOf& tap_of,
                                          T* to) const {
    const Index inputs = shape_.inputs;
    const Index block_size = block_size_;
    const Index whole = inputs / step;
    for (Index block = 0; block < whole; ++block)
      turn_outputs(from + block * step * area, outputs, inputs * area, step, area, taps, tap_of,
                   to + block * block_size);
    if (whole < blocks_)
      turn_outputs(from + whole * step * area, outputs, inputs * area, inputs - whole * step, area, taps, tap_of,
                   to + whole * block_size);
  }

  /// to[output][tap][row] = from[output][row][tap_of(tap)]
  template <class TapOf>
  [[gnu::always_inline]] static void turn_outputs(const T* from, Index outputs, Index stride, Index rows, Index area,
                                                  Index taps, const TapOf& tap_of, T* to) {
    for (Index o = 0; o < outputs; ++o, from += stride, to += taps * step)
      for (Index tap = 0; tap < taps; ++tap)
        for (Index r = 0; r < rows; ++r) to[tap * step + r] = from[r * area + tap_of(tap)];
  }

  WeightShape shape_{};
  Index blocks_ = 0;
  Index block_size_ = 0;
  Buffer<T> data_;
};

}  // namespace recal::cpu
