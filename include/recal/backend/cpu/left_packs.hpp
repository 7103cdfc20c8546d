// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/packed_weights.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>
#include <recal/core/parallel.hpp>

namespace recal::cpu {

/// Weights [G*outputs, inputs] of windows of one pixel as the left operands of dx = weight^T * dy: for the
/// WideBlock<T>::rows inputs that a block makes they lie next to each other, output by output. Where they lie in the
/// weights, each step of the depth would be another page. Their memory is kept for what comes after them.
/// cost: reads the weights once, writes them once
template <class T>
class LeftPacks {
 public:
  static constexpr Index rows = WideBlock<T>::rows;

  /// Those of a group.
  struct Group {
    const T* data;
    Index depth;

    void list_depth(Index outputs, Index, std::vector<Index>& offsets) const {
      offsets.clear();
      for (Index o = 0; o < outputs; ++o) offsets.push_back(o * rows);
    }

    /// Inputs from i on, outputs from o on, at the offsets of list_depth().
    /// requires: i is one of for_each_block()
    [[nodiscard]] Left<T, Adjacent> left(Index i, Index o, const std::vector<Index>& offsets) const {
      return {data + i * depth + o * rows, offsets.data(), {}};
    }

    /// f(i, count) on the inputs of a tile that a block can hold.
    /// requires: the tile begins where a block does
    template <class F>
    void for_each_block(const Tile& tile, const F& f) const {
      for (Index i = tile.channel; i < tile.channel_end; i += rows) f(i, std::min(rows, tile.channel_end - i));
    }
  };

  void turn(const T* weight, const WeightShape& shape) {
    depth_ = shape.outputs;
    packs_ = (shape.inputs + rows - 1) / rows;
    renew(*data_, shape.groups * group_size());
    const Index bands = (depth_ + band - 1) / band;
    parallel_for(shape.groups * bands, 1 + 16384 / (band * shape.inputs), [&](Index index) {
      const Index group = index / bands;
      const Index first = index % bands * band;
      const Index last = std::min(depth_, first + band);
      for (Index input = 0; input < shape.inputs; input += rows) {
        const T* from = weight + group * depth_ * shape.inputs + input;
        T* to = data_->data() + group * group_size() + input * depth_;
        const auto turn_rows = [&](auto count) {
          for (Index o = first; o < last; ++o) std::copy_n(from + o * shape.inputs, Index{count}, to + o * rows);
        };
        if (input + rows <= shape.inputs)
          turn_rows(std::integral_constant<Index, rows>{});
        else
          turn_rows(shape.inputs - input);
      }
    });
  }

  [[nodiscard]] Group of_group(Index group) const { return {data_->data() + group * group_size(), depth_}; }

 private:
  /// Outputs that are turned together: their weights are read in that many streams.
  static constexpr Index band = 16;

  /// What the last pack has beyond the inputs is not written, and no product reads it.
  [[nodiscard]] Index group_size() const { return packs_ * rows * depth_; }

  Index packs_ = 0;
  Index depth_ = 0;
  Kept<Buffer<T>> data_;
};

}  // namespace recal::cpu
