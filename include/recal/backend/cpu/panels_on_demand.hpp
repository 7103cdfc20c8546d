// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/lines.hpp>
#include <recal/backend/cpu/packed_weights.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>

/// The panels of PackedWeights, each made by the task that multiplies with it, when it does: weights come from memory
/// once, and a panel goes no further than the first cache. Several tasks may make the same one.
namespace recal::cpu {

/// Whether that pays: pixels are so few that a panel is made twice at most.
[[nodiscard]] inline bool on_demand(const PatchGrid& grid, Index images) {
  return images * grid.positions() <= 2 * TaskGrid::most_pixels;
}

/// For y = weight * x.
template <class T>
struct PackedOnDemand {
  const T* weight;
  WeightShape shape;

  /// The operand of a task.
  struct Group {
    const T* weight;
    Index outputs, depth;
    Kept<Buffer<T>> memory;

    /// `steps` of the depth, of the outputs of a panel.
    [[nodiscard]] const T* panel(Index panel, Index step, Index steps) {
      const Index first = panel * Block<T>::columns;
      resize(*memory, steps * Block<T>::columns);
      pack_panel(weight + first * depth + step, std::min(Block<T>::columns, outputs - first), steps, depth,
                 memory->data());
      return memory->data();
    }
  };

  [[nodiscard]] Group of_group(Index group) const {
    const Index depth = shape.inputs * shape.area;
    return {weight + group * shape.outputs * depth, shape.outputs, depth, {}};
  }
};

/// For dx = weight^T * dy with one tap: rows of the weights as they lie.
template <class T>
struct TurnedOnDemand {
  const T* weight;
  WeightShape shape;

  struct Group {
    const T* weight;
    Index inputs;
    Kept<Buffer<T>> memory;

    [[nodiscard]] const T* panel(Index panel, Index step, Index steps) {
      constexpr Index width = Block<T>::columns;
      resize(*memory, steps * width);
      const T* from = weight + step * inputs + panel * width;
      const Index own = std::min(width, inputs - panel * width);
      T* to = memory->data();
      for (Index k = 0; k < steps; ++k, from += inputs, to += width) {
        turn_row(from, own, to);
        ask_for_lines<ToReadLater>(from + own, width);  // the next panel's
      }
      return memory->data();
    }
  };

  [[nodiscard]] Group of_group(Index group) const {
    return {weight + group * shape.outputs * shape.inputs, shape.inputs, {}};
  }
};

}  // namespace recal::cpu
