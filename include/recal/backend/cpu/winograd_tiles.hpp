// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/padded_rows.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/winograd.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/unrolled.hpp>

namespace recal::cpu {

namespace detail {

/// The lanes of two packs one after the other that are even, or, with First = 1, odd.
template <int First, class P>
[[nodiscard, gnu::always_inline]] inline P every_other(const P& low, const P& high) {
  return [&]<int... lane>(std::integer_sequence<int, lane...>) __attribute__((always_inline)) {
    return P(typename P::Native(__builtin_shufflevector(low.v, high.v, (First + 2 * lane)...)));
  }
  (std::make_integer_sequence<int, P::lanes>{});
}

/// The points of as many neighbouring tiles as P has lanes, to[point*point_step + lane], of pixels that are read where
/// the first tile begins, in rows `pitch` apart. Rows are readable for two more pixels than the tiles see.
template <class P, class T>
[[gnu::always_inline]] inline void transform_tiles(const T* pixels, Index pitch, T* to, Index point_step) {
  using winograd::Row;
  constexpr int points = winograd::side;  // along an axis
  // A tile's pixels in columns 0 and 1 are every other one of what begins at the first tile, those in columns 2 and 3
  // of what begins two pixels later; both take two packs.
  std::array<Row<P, points>, 4> read;
  unrolled<points>([&](auto i) {
    const T* row = pixels + i * pitch;
    read[0][i] = load<P>(row);
    read[1][i] = load<P>(row + P::lanes);
    read[2][i] = load<P>(row + 2);
    read[3][i] = load<P>(row + 2 + P::lanes);
  });
  unrolled<4>([&](auto j) { read[j] = winograd::FromInput{}(read[j]); });
  unrolled<points>([&](auto i) {
    const Row<P, points> row{every_other<0>(read[0][i], read[1][i]), every_other<1>(read[0][i], read[1][i]),
                             every_other<0>(read[2][i], read[3][i]), every_other<1>(read[2][i], read[3][i])};
    const Row<P, points> values = winograd::FromInput{}(row);
    unrolled<points>([&](auto j) { store(to + (i * points + j) * point_step, values[j]); });
  });
}

}  // namespace detail

/// What Winograd's products make of x: for the tiles of some rows of pixels of y and for some channels, the numbers at
/// all points.
template <class T>
class WinogradTiles {
 public:
  /// A row of tiles: the first of its pixels of y, counted from the first of all, and whether it has both rows of them.
  struct Row {
    Index pixel;
    bool whole;
  };

  /// For the pixels [first, last) of y, counted through all images, and up to `channels` channels at a time. Keeps its
  /// memory from one call to the next.
  /// requires: both are at the beginning of an image or of a row of pixels with an even number
  void prepare(const TensorView<const T>& x, const PatchGrid& grid, Index first, Index last, Index channels,
               const ConvStart<T>& start) {
    constexpr Index line = 64 / sizeof(T);
    constexpr Index lanes = pack_for<T>::lanes;
    x_ = x;
    PatchGrid even = grid;  // as if all tiles were whole: what they see beyond is padding
    even.out_h += grid.out_h % 2;
    even.out_w += grid.out_w % 2;
    const auto even_pixel = [&](Index p) {
      return p / grid.positions() * even.positions() + p % grid.positions() / grid.out_w * even.out_w;
    };
    pixels_.prepare(even, even_pixel(first), even_pixel(last), start);
    rows_.clear();
    sources_.clear();
    for (const auto& part : pixels_.parts())
      for (Index y = part.y; y < part.y + part.positions / even.out_w; y += winograd::outputs) {
        sources_.push_back(pixels_.at(part, y, 0));
        rows_.push_back({part.image * grid.positions() + y * grid.out_w - first, y + 1 < grid.out_h});
      }
    row_tiles_ = even.out_w / winograd::outputs;
    const Index size = channels * count() + lanes;        // a row is written by packs
    point_step_ = ((size + line - 1) / line | 1) * line;  // points are not in each other's way in the cache
    resize(numbers_, winograd::points * point_step_);
    copy_.assign(static_cast<std::size_t>(pixels_.size() + 4 * lanes), T{});
  }

  /// Makes `count` channels from `first` on readable.
  void load(Index first, Index channels) {
    for (Index c = 0; c < channels; ++c) {
      pixels_.copy(x_, first + c, copy_.data());
      T* to = numbers_.data() + c * count();
      for (const Index source : sources_) {
        transform_row(copy_.data() + source, to);
        to += row_tiles_;
      }
    }
  }

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  /// Tiles of a row, and of all.
  [[nodiscard]] Index row_tiles() const { return row_tiles_; }
  [[nodiscard]] Index count() const { return row_tiles_ * static_cast<Index>(rows_.size()); }
  /// Of channel c of those loaded, at a point: the numbers of all tiles begin at point(p) + c*count().
  [[nodiscard]] const T* point(Index p) const { return numbers_.data() + p * point_step_; }

 private:
  /// Up to a register beyond the row is written.
  void transform_row(const T* pixels, T* to) const {
    using P = pack_for<T>;
    using Half = Pack<T, std::max(P::lanes / 2, 2)>;
    const Index pitch = pixels_.tap(1, 0);
    Index i = 0;
    for (; row_tiles_ - i > Half::lanes; i += P::lanes)
      detail::transform_tiles<P>(pixels + winograd::outputs * i, pitch, to + i, point_step_);
    if (i < row_tiles_) detail::transform_tiles<Half>(pixels + winograd::outputs * i, pitch, to + i, point_step_);
  }

  TensorView<const T> x_;
  PaddedRows<T> pixels_;
  std::vector<Row> rows_;
  std::vector<Index> sources_;  ///< where the pixels of each row begin
  Index row_tiles_ = 0;
  Index point_step_ = 0;
  Buffer<T> copy_;  ///< one channel of x, with its padding
  Buffer<T> numbers_;
};

}  // namespace recal::cpu
