// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>

#include <recal/backend/conv_finish.hpp>
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

/// What one task needs; every thread keeps its own and reuses it.
template <class T>
struct ProductScratch {
  Patches<T> patches;
  Patches<T> other_patches;
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

/// y(channel row, pixel p) = sum_k left(row, k) * patch(k, p), finished, for the rows and columns of one tile, where
/// k counts (c, ky, kx) over `channels` channels of x. x, y and `finish` begin at the channels that are meant.
///   left_of(row, rows, first_channel, channels) -> Left<T>  for up to Block<T>::rows rows
template <class T, class LeftOf>
void multiply_patches(const TensorView<const T>& x, Index channels, const PatchGrid& grid, const Tile& tile,
                      const LeftOf& left_of, const TensorView<T>& y, const ConvFinish<T>& finish = {}) {
  using B = Block<T>;
  ProductScratch<T>& scratch = product_scratch<T>();
  scratch.patches.prepare(grid, tile.first, tile.last, B::columns);
  const Index panels = scratch.patches.panels();
  const Index area = grid.window.area();
  const Index chunk = std::clamp<Index>(B::depth / area, 1, channels);
  const Index positions = grid.positions();
  const bool finishing = !finish.empty();
  const Index staged_size = (tile.row_end - tile.row) * B::columns;
  resize(scratch.panels, panels * chunk * area * B::columns);
  resize(scratch.sums, panels * staged_size);

  // A panel within one image is summed where it belongs, one that spans images is staged.
  const auto within_image = [&](Index p, Index end) { return p / positions == (end - 1) / positions; };
  const auto end_of = [&](Index panel) { return std::min(tile.last, tile.first + (panel + 1) * B::columns); };
  for (Index c = 0; c < channels; c += chunk) {
    const Index count = std::min(chunk, channels - c);
    scratch.patches.gather(x, c, count, scratch.panels.data());
    for (Index row = tile.row; row < tile.row_end; row += B::rows) {
      const Index rows = std::min<Index>(B::rows, tile.row_end - row);
      const Left<T> left = left_of(row, rows, c, count);
      for (Index panel = 0; panel < panels; ++panel) {
        const Index p = tile.first + panel * B::columns;
        const Index end = end_of(panel);
        const bool direct = within_image(p, end);
        T* to = direct ? y.plane(p / positions, row) + p % positions
                       : scratch.sums.data() + panel * staged_size + (row - tile.row) * B::columns;
        multiply_block(rows, direct ? end - p : B::columns, count * area, left,
                       scratch.panels.data() + panel * count * area * B::columns, to, direct ? y.stride_c : B::columns,
                       c > 0);
        if (direct && finishing && c + count == channels)
          for (Index r = 0; r < rows; ++r)
            finish_run(finish, p / positions, row + r, p % positions, end - p, to + r * y.stride_c);
      }
    }
  }

  for (Index panel = 0; panel < panels; ++panel) {
    const Index begin = tile.first + panel * B::columns;
    const Index end = end_of(panel);
    if (within_image(begin, end)) continue;
    for (Index row = tile.row; row < tile.row_end; ++row) {
      const T* from = scratch.sums.data() + panel * staged_size + (row - tile.row) * B::columns;
      for (Index p = begin; p < end;) {
        const Index image = p / positions;
        const Index length = std::min(end, (image + 1) * positions) - p;
        T* to = y.plane(image, row) + (p - image * positions);
        copy_run(length, from, to);
        if (finishing) finish_run(finish, image, row, p - image * positions, length, to);
        from += length;
        p += length;
      }
    }
  }
}

/// A view that begins at channel `c`.
template <class T>
[[nodiscard]] TensorView<T> from_channel(const TensorView<T>& x, Index c) {
  TensorView<T> rest = x;
  rest.data += c * x.stride_c;
  rest.shape.c -= c;
  return rest;
}

}  // namespace recal::cpu
