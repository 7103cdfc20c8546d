// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/transpose_lanes.hpp>
#include <recal/core/unrolled.hpp>

/// The products of a dense layer: a matrix of weights with vectors of doubles of a few samples. Each result is summed
/// up in an order of its own that does not depend on how many are worked on together.
namespace recal::detail {

/// Rows of numbers, `stride` apart.
template <class X>
struct Rows {
  X* first;
  Index stride;
  [[nodiscard]] X* operator[](Index row) const { return first + row * stride; }
  [[nodiscard]] Rows from(Index row, Index column) const { return {first + row * stride + column, stride}; }
};

/// The factor of row k of one side in row a of the other: first[a*to + k*by].
struct Factors {
  const double* first;
  Index to;
  Index by;
  [[nodiscard]] Factors from(Index a, Index k) const { return {first + a * to + k * by, to, by}; }
};

/// f(first, std::integral_constant<int, own>) on pieces of [0, count): of the first size while they fit, then of the
/// next.
template <int Size, int... Smaller, class F>
void in_pieces(Index count, const F& f, Index first = 0) {
  for (; first + Size <= count; first += Size) f(first, std::integral_constant<int, Size>{});
  if constexpr (sizeof...(Smaller) > 0) in_pieces<Smaller...>(count, f, first);
}

using Doubles = pack_for<double>;

/// Columns of a panel, and numbers in all panels that are worked on together: they stay in the first cache.
inline constexpr Index panel_columns = 2 * Doubles::lanes;
inline constexpr Index panel_numbers = 2048;

/// Rows of which a panel holds a piece at most.
inline constexpr Index panel_depth = 64;

template <class X>
using Panels = std::array<X, static_cast<std::size_t>(panel_numbers)>;

/// x[k][i] for k < depth, i < columns, panel after panel: all rows of its columns, and zeros in place of those that are
/// not there. Rows that are a power of two apart would be in each other's way in the cache.
template <class X>
void pack_panels(Index depth, Index columns, const Rows<const X>& x, Panels<X>& panels) {
  X* to = panels.data();
  for (Index first = 0; first < columns; first += panel_columns) {
    const Index own = std::min(panel_columns, columns - first);
    for (Index k = 0; k < depth; ++k, to += panel_columns) {
      const X* from = x[k] + first;
      if (own == panel_columns)
        std::copy_n(from, panel_columns, to);
      else
        std::fill_n(std::copy_n(from, own, to), panel_columns - own, X{});
    }
  }
}

/// to[a][i] += sum_k factor(a, k) panel[k][i] for a < A and all columns of a panel; the sum over k stays in registers.
template <int A, class X, class Y>
[[gnu::always_inline]] inline void add_panel(Index depth, const Factors& factors, const X* panel,
                                             const std::array<Y*, A>& to) {
  constexpr int packs = panel_columns / Doubles::lanes;
  std::array<std::array<Doubles, packs>, A> sum;
  unrolled<A>([&](auto a) { unrolled<packs>([&](auto p) { sum[a][p] = Doubles(0); }); });
  const double* factor = factors.first;
  for (Index k = 0; k < depth; ++k, panel += panel_columns, factor += factors.by) {
    std::array<Doubles, packs> own;
    unrolled<packs>([&](auto p) { own[p] = load<Doubles>(panel + p * Doubles::lanes); });
    unrolled<A>([&](auto a) {
      const Doubles all(factor[a * factors.to]);
      unrolled<packs>([&](auto p) { sum[a][p] = multiply_add(all, own[p], sum[a][p]); });
    });
  }
  unrolled<A>([&](auto a) {
    unrolled<packs>([&](auto p) {
      Y* pack = to[a] + p * Doubles::lanes;
      store(pack, load<Doubles>(pack) + sum[a][p]);
    });
  });
}

/// The same for all panels, of `columns` columns together.
template <int A, class X, class Y>
void add_panels(Index depth, Index columns, Factors factors, const X* panel, Rows<Y> sums) {
  std::array<Y*, A> to;
  unrolled<A>([&](auto a) { to[a] = sums[a]; });
  Index rest = columns;
  for (; rest >= panel_columns; rest -= panel_columns, panel += depth * panel_columns) {
    add_panel<A>(depth, factors, panel, to);
    unrolled<A>([&](auto a) { to[a] += panel_columns; });
  }
  if (rest == 0) return;
  std::array<std::array<Y, static_cast<std::size_t>(panel_columns)>, A> whole{};
  std::array<Y*, A> to_whole;
  for (std::size_t a = 0; a < A; ++a) std::copy_n(to[a], rest, to_whole[a] = whole[a].data());
  add_panel<A>(depth, factors, panel, to_whole);
  for (std::size_t a = 0; a < A; ++a) std::copy_n(to_whole[a], rest, to[a]);
}

/// sums[a][i] += sum_k factor(a, k) x[k][i] for a < rows, k < depth, i < columns.
template <class X, class Y>
void add_products(Index rows, Index depth, Index columns, const Factors& factors, const Rows<const X>& x,
                  const Rows<Y>& sums) {
  Panels<X> panels;
  for (Index k = 0; k < depth; k += panel_depth) {
    const Index own_depth = std::min(panel_depth, depth - k);
    const Index width = panel_numbers / own_depth / panel_columns * panel_columns;
    for (Index i = 0; i < columns; i += width) {
      const Index own = std::min(width, columns - i);
      pack_panels(own_depth, own, x.from(k, i), panels);
      in_pieces<4, 1>(rows, [&](Index a, auto own_rows) {
        add_panels<own_rows>(own_depth, own, factors.from(a, k), panels.data(), sums.from(a, i));
      });
    }
  }
}

/// The sum of the lanes of every pack, in their order.
template <std::size_t Count>
[[nodiscard, gnu::always_inline]] inline std::array<double, Count> lane_sums(const std::array<Doubles, Count>& packs) {
  constexpr auto lanes = static_cast<std::size_t>(Doubles::lanes);
  std::array<double, Count> sums;
  unrolled<static_cast<int>((Count + lanes - 1) / lanes)>([&](auto group) {
    std::array<Doubles, lanes> rows;
    unrolled<static_cast<int>(lanes)>([&](auto i) {
      constexpr std::size_t pack = group * lanes + i;
      rows[i] = pack < Count ? packs[pack % Count] : Doubles(0);
    });
    transpose_lanes(rows);
    unrolled<static_cast<int>(lanes) - 1>([&](auto lane) { rows[0] += rows[lane + 1]; });
    for (std::size_t i = 0; i < std::min(lanes, Count - group * lanes); ++i) sums[group * lanes + i] = rows[0].v[i];
  });
  return sums;
}

/// y[s][o] += sum_i w[o][i] x[s][i] for o < O, s < S, i < count.
template <int O, int S, class W>
void add_dots(Index count, const Rows<const W>& w, const Rows<const double>& x, const Rows<double>& y) {
  std::array<Doubles, static_cast<std::size_t>(O * S)> lanes;
  unrolled<O * S>([&](auto i) { lanes[i] = Doubles(0); });
  Index i = 0;
  for (; i + Doubles::lanes <= count; i += Doubles::lanes) {
    std::array<Doubles, S> own;
    unrolled<S>([&](auto s) { own[s] = load<Doubles>(x[s] + i); });
    unrolled<O>([&](auto o) {
      const Doubles weight = load<Doubles>(w[o] + i);
      unrolled<S>([&](auto s) { lanes[o * S + s] = multiply_add(weight, own[s], lanes[o * S + s]); });
    });
  }
  const auto sums = lane_sums(lanes);
  for (Index o = 0; o < O; ++o)
    for (Index s = 0; s < S; ++s) {
      double sum = sums[static_cast<std::size_t>(o * S + s)];
      for (Index rest = i; rest < count; ++rest) sum = multiply_add(static_cast<double>(w[o][rest]), x[s][rest], sum);
      y[s][o] += sum;
    }
}

/// Numbers of a row that are multiplied in one go, so that those of several samples stay in the first cache.
inline constexpr Index dot_length = 512;

/// The same for o < outputs, s < samples and i < inputs.
template <class W>
void add_all_dots(Index outputs, Index samples, Index inputs, const Rows<const W>& w, const Rows<const double>& x,
                  const Rows<double>& y) {
  for (Index i = 0; i < inputs; i += dot_length) {
    const Index count = std::min(dot_length, inputs - i);
    in_pieces<4, 1>(samples, [&](Index s, auto own_samples) {
      const auto some = [&](Index o, auto own) {
        add_dots<own, own_samples>(count, w.from(o, i), x.from(s, i), y.from(s, o));
      };
      if constexpr (own_samples == 1)
        in_pieces<8, 1>(outputs, some);
      else
        in_pieces<2, 1>(outputs, some);
    });
  }
}

}  // namespace recal::detail
