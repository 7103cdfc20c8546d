// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/lines.hpp>
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

/// Columns of neighbouring tiles, a tile each lane, of the packs of a row of pixels in which each tile begins
/// sizeof...(packs) pixels after the one before.
template <class P>
[[nodiscard, gnu::always_inline]] inline std::array<P, 2> columns_of(const P& a, const P& b) {
  return {every_other<0>(a, b), every_other<1>(a, b)};
}
template <class P>
[[nodiscard, gnu::always_inline]] inline std::array<P, 4> columns_of(const P& a, const P& b, const P& c, const P& d) {
  const auto [first, third] = columns_of(every_other<0>(a, b), every_other<0>(c, d));
  const auto [second, fourth] = columns_of(every_other<1>(a, b), every_other<1>(c, d));
  return {first, second, third, fourth};
}

/// The lanes of a pack from the second on, then lane Lane of another.
template <int Lane, class P>
[[nodiscard, gnu::always_inline]] inline P next_tile(const P& column, const P& last) {
  return [&]<int... lane>(std::integer_sequence<int, lane...>) __attribute__((always_inline)) {
    return P(typename P::Native(
        __builtin_shufflevector(column.v, last.v, (lane + 1 < P::lanes ? lane + 1 : P::lanes + Lane)...)));
  }
  (std::make_integer_sequence<int, P::lanes>{});
}

/// The points of as many neighbouring tiles W as P has lanes, to[point*point_step + lane], of pixels that are read
/// where the first tile begins, in rows `pitch` apart.
template <class W, class P, class T>
[[gnu::always_inline]] inline void transform_tiles(const T* pixels, Index pitch, T* to, Index point_step) {
  using winograd::Row;
  constexpr int seen = static_cast<int>(W::side);
  constexpr int outputs = static_cast<int>(W::outputs);
  // The last two columns of a tile are the first two of the next one; those of the last tile end the last pack.
  std::array<Row<P, seen>, outputs + 1> packs;
  unrolled<seen>([&](auto i) {
    const T* row = pixels + i * pitch;
    unrolled<outputs>([&](auto j) { packs[j][i] = load<P>(row + j * P::lanes); });
    packs[outputs][i] = load<P>(row + (outputs - 1) * P::lanes + (seen - outputs));
  });
  unrolled<outputs + 1>([&](auto j) { packs[j] = typename W::FromInput{}(packs[j]); });
  unrolled<seen>([&](auto i) {
    const auto own = [&]<std::size_t... j>(std::index_sequence<j...>) __attribute__((always_inline)) {
      return columns_of(packs[j][i]...);
    }
    (std::make_index_sequence<outputs>{});
    Row<P, seen> row;
    unrolled<outputs>([&](auto j) { row[j] = own[j]; });
    unrolled<seen - outputs>(
        [&](auto j) { row[outputs + j] = next_tile<P::lanes - (seen - outputs) + j>(own[j], packs[outputs][i]); });
    const Row<P, seen> values = typename W::FromInput{}(row);
    unrolled<seen>([&](auto j) { store(to + (i * seen + j) * point_step, values[j]); });
  });
}

}  // namespace detail

/// What Winograd's products with tiles W make of x: for the tiles of some rows of pixels of y and for some channels,
/// the numbers at all points.
template <class T, class W>
class WinogradTiles {
 public:
  /// A row of tiles: the first of its pixels of y, counted from the first of all, and how many rows of them it has.
  struct Row {
    Index pixel, height;
  };

  /// For the pixels [first, last) of y, counted through all images, and up to `channels` channels at a time. Keeps its
  /// memory from one call to the next.
  /// requires: both are at the beginning of an image or of a row of pixels whose number is a multiple of W::outputs
  void prepare(const TensorView<const T>& x, const PatchGrid& grid, Index first, Index last, Index channels,
               const ConvStart<T>& start) {
    constexpr Index lanes = pack_for<T>::lanes;
    x_ = x;
    PatchGrid whole = grid;  // as if all tiles were whole: what they see beyond is padding
    whole.out_h = W::covering(grid.out_h) * W::outputs;
    whole.out_w = W::covering(grid.out_w) * W::outputs;
    const auto whole_pixel = [&](Index p) {
      return p / grid.positions() * whole.positions() + p % grid.positions() / grid.out_w * whole.out_w;
    };
    pixels_.prepare(whole, whole_pixel(first), whole_pixel(last), start);
    rows_.clear();
    sources_.clear();
    for (const auto& part : pixels_.parts())
      for (Index y = part.y; y < part.y + part.positions / whole.out_w; y += W::outputs) {
        sources_.push_back(pixels_.at(part, y, 0));
        rows_.push_back({part.image * grid.positions() + y * grid.out_w - first, std::min(W::outputs, grid.out_h - y)});
      }
    row_tiles_ = W::covering(grid.out_w);
    const Index size = channels * count() + lanes;  // a row is written by packs
    point_step_ = odd_lines<T>(size);               // points are not in each other's way in the cache
    resize(numbers_, W::points * point_step_);
    copy_.assign(static_cast<std::size_t>(pixels_.size() + W::outputs * lanes), T{});
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
    using Quarter = Pack<T, std::max(P::lanes / 4, 2)>;
    const Index pitch = pixels_.tap(1, 0);
    Index i = 0;
    for (; row_tiles_ - i > Half::lanes; i += P::lanes)
      detail::transform_tiles<W, P>(pixels + W::outputs * i, pitch, to + i, point_step_);
    if (row_tiles_ - i > Quarter::lanes)
      detail::transform_tiles<W, Half>(pixels + W::outputs * i, pitch, to + i, point_step_);
    else if (i < row_tiles_)
      detail::transform_tiles<W, Quarter>(pixels + W::outputs * i, pitch, to + i, point_step_);
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
