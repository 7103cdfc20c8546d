// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include <recal/backend/conv_finish.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/patches.hpp>
#include <recal/backend/cpu/planes.hpp>

/// Products whose right operand is gathered from images while it is packed: what convolutions are made of.
namespace recal::cpu {

/// How the columns (output pixels of all images) and rows (output channels) of a product are cut into
/// tasks. A function of the sizes alone.
struct TaskGrid {
  Index tiles, tile_columns;
  Index splits, split_rows;

  /// `gather_cost`: rows below which gathering a tile once more for another split would show
  template <class T>
  static TaskGrid plan(Index columns, Index rows, Index copies, Index gather_cost) {
    constexpr Index most_columns = Block<T>::tile_columns;
    constexpr Index enough_tasks = 8;
    TaskGrid grid{};
    grid.tiles = std::max<Index>(1, (columns + most_columns - 1) / most_columns);
    grid.tile_columns = round_up((columns + grid.tiles - 1) / grid.tiles, Block<T>::columns);
    grid.splits = 1;
    while (grid.tiles * copies * grid.splits < enough_tasks && rows / (grid.splits + 1) >= gather_cost) ++grid.splits;
    grid.split_rows = round_up((rows + grid.splits - 1) / grid.splits, Block<T>::rows);
    return grid;
  }

  static constexpr Index round_up(Index value, Index to) { return (value + to - 1) / to * to; }
};

/// Where the pixels of one panel go: `count` of them to one image from pixel `first` on, or, where they belong to
/// several images, to a stage from which they are copied out.
struct PanelTarget {
  Index image, first, count;
  bool direct;
};

/// What one task needs; every thread keeps its own and reuses it.
template <class T>
struct ProductScratch {
  Patches<T> patches;
  Patches<T> other_patches;
  std::vector<PanelTarget> targets;
  Buffer<T> panels;
  Buffer<T> left;
  Buffer<T> sums;
  Buffer<T> rows;
};

template <class T>
[[nodiscard]] ProductScratch<T>& product_scratch() {
  thread_local ProductScratch<T> scratch;
  return scratch;
}

template <class T>
void copy_run(Index length, const T* from, T* to) {
  switch (length) {
    case 4:
      std::memcpy(to, from, 4 * sizeof(T));
      return;
    case 16:
      std::memcpy(to, from, 16 * sizeof(T));
      return;
    default:
      for (Index i = 0; i < length; ++i) to[i] = from[i];
  }
}

/// A piece of a product: columns [first, last) and rows [row, row_end).
struct Tile {
  Index first, last, row, row_end;
};

/// `length` finished sums of channel `row`, beginning at pixel `first` of an image, which lie at `y`.
template <class T>
void finish_run(const ConvFinish<T>& finish, Index image, Index row, Index first, Index length, T* y) {
  const T scale = finish.scale_of(row);
  const T shift = finish.shift_of(row);
  const T* shortcut = finish.shortcut.data != nullptr ? finish.shortcut.plane(image, row) + first : nullptr;
  const auto go = [&](const auto& f) {
    if (shortcut != nullptr)
      map(
          length, y, [&](auto sum, auto add) { return f(sum * scale + (add + shift)); }, static_cast<const T*>(y),
          shortcut);
    else
      map(
          length, y, [&](auto sum) { return f(sum * scale + shift); }, static_cast<const T*>(y));
  };
  if (finish.relu)
    go([](auto sum) { return max(decltype(sum)(0), sum); });
  else
    go([](auto sum) { return sum; });
}

/// finish_run() on all of y: for convolutions that write it in other orders.
template <class T>
void finish_planes(const ConvFinish<T>& finish, const TensorView<T>& y) {
  if (finish.empty()) return;
  const Index plane = y.shape.plane();
  parallel_for(y.shape.n * y.shape.c, 1 + 16384 / (1 + plane), [&](Index index) {
    const Index image = index / y.shape.c;
    const Index row = index % y.shape.c;
    finish_run(finish, image, row, 0, plane, y.plane(image, row));
  });
}

inline void list_targets(const Tile& tile, Index positions, Index columns, std::vector<PanelTarget>& targets) {
  targets.clear();
  for (Index p = tile.first; p < tile.last; p += columns) {
    const Index count = std::min(columns, tile.last - p);
    const Index image = p / positions;
    targets.push_back({image, p - image * positions, count, (p + count - 1) / positions == image});
  }
}

/// The rows of a staged panel to where they belong.
template <class T>
void copy_out(const PanelTarget& panel, const Tile& tile, Index positions, const T* staged, const TensorView<T>& y,
              const ConvFinish<T>& finish) {
  const bool finishing = !finish.empty();
  for (Index row = tile.row; row < tile.row_end; ++row, staged += Block<T>::columns) {
    Index image = panel.image;
    Index first = panel.first;
    for (Index done = 0; done < panel.count; ++image, first = 0) {
      const Index length = std::min(panel.count - done, positions - first);
      T* to = y.plane(image, row) + first;
      copy_run(length, staged + done, to);
      if (finishing) finish_run(finish, image, row, first, length, to);
      done += length;
    }
  }
}

/// y(channel row, pixel p) = sum_k left(row, k) * patch(k, p), finished, for the rows and columns of one tile, where
/// k counts (c, ky, kx) over `channels` channels of x, or of what `start` makes of x. x, y, `start` and `finish` begin
/// at the channels that are meant.
///   left_of(row, first_channel) -> Left<T>  for up to Block<T>::rows rows
template <class T, class LeftOf>
void multiply_patches(const TensorView<const T>& x, Index channels, const PatchGrid& grid, const Tile& tile,
                      const LeftOf& left_of, const TensorView<T>& y, const ConvFinish<T>& finish = {},
                      const ConvStart<T>& start = {}) {
  using B = Block<T>;
  ProductScratch<T>& scratch = product_scratch<T>();
  scratch.patches.prepare(grid, tile.first, tile.last, B::columns, start);
  list_targets(tile, grid.positions(), B::columns, scratch.targets);
  const Index panels = scratch.patches.panels();
  const Index area = grid.area();
  const Index chunk = std::clamp<Index>(B::depth / area, 1, channels);
  const Index staged_size = (tile.row_end - tile.row) * B::columns;
  resize(scratch.panels, panels * chunk * area * B::columns);
  resize(scratch.sums, panels * staged_size);

  for (Index c = 0; c < channels; c += chunk) {
    const Index count = std::min(chunk, channels - c);
    const bool finishing = c + count == channels && !finish.empty();
    scratch.patches.gather(x, c, count, scratch.panels.data());
    for (Index row = tile.row; row < tile.row_end; row += B::rows) {
      const Index rows = std::min<Index>(B::rows, tile.row_end - row);
      const Left<T> left = left_of(row, c);
      const T* from = scratch.panels.data();
      T* staged = scratch.sums.data() + (row - tile.row) * B::columns;
      for (const PanelTarget& panel : scratch.targets) {
        if (panel.direct) {
          T* to = y.plane(panel.image, row) + panel.first;
          multiply_block(rows, panel.count, count * area, left, from, to, y.stride_c, c > 0);
          if (finishing)
            for (Index r = 0; r < rows; ++r)
              finish_run(finish, panel.image, row + r, panel.first, panel.count, to + r * y.stride_c);
        } else {
          multiply_block(rows, B::columns, count * area, left, from, staged, B::columns, c > 0);
        }
        from += count * area * B::columns;
        staged += staged_size;
      }
    }
  }
  const T* staged = scratch.sums.data();
  for (const PanelTarget& panel : scratch.targets) {
    if (!panel.direct) copy_out(panel, tile, grid.positions(), staged, y, finish);
    staged += staged_size;
  }
}

}  // namespace recal::cpu
