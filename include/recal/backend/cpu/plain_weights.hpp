// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/packed_weights.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/shape.hpp>

namespace recal::cpu {

/// Weights where they lie: of output o and input c of a group, at tap t,
///   data[group*group_size + o*step + c*depth_step + t], or + (*taps)[t] where only these are meant, in their order.
template <class T>
struct PlainWeights {
  const T* data;
  Index step;
  Index depth_step;
  Index group_size;
  const Taps* taps = nullptr;

  void list_depth(Index channels, Index area, std::vector<Index>& offsets) const {
    offsets.clear();
    for (Index c = 0; c < channels; ++c)
      for (Index t = 0; t < area; ++t) offsets.push_back(c * depth_step + (taps != nullptr ? at(*taps, t) : t));
  }

  [[nodiscard]] PlainWeights of_group(Index group) const {
    PlainWeights own = *this;
    own.data += group * group_size;
    return own;
  }

  /// Outputs from o on, inputs from c on, at the offsets of list_depth().
  [[nodiscard]] Left<T> left(Index o, Index c, const std::vector<Index>& offsets) const {
    return {data + o * step + c * depth_step, offsets.data(), step};
  }

  /// f(o, count) on the outputs of a tile that a block can hold.
  template <class F>
  void for_each_block(const Tile& tile, const F& f) const {
    cpu::for_each_block<WideBlock<T>>(tile.channel_end - tile.channel,
                                      [&](Index first, Index count) { f(tile.channel + first, count); });
  }
};

}  // namespace recal::cpu
