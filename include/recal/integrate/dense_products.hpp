// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include <recal/core/buffer.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/transpose_lanes.hpp>
#include <recal/core/unrolled.hpp>

/// The products of a dense layer: a matrix of weights with vectors of a few samples, multiplied in A. Each result is
/// summed up in an order of its own that does not depend on how many are worked on together.
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
template <class A>
struct Factors {
  const A* first;
  Index to;
  Index by;
  [[nodiscard]] Factors from(Index a, Index k) const { return {first + a * to + k * by, to, by}; }
};

/// Row a of the other side has its factors in row a, or in column a.
template <class A>
[[nodiscard]] Factors<A> by_row(const Rows<const A>& rows) {
  return {rows.first, rows.stride, 1};
}
template <class A>
[[nodiscard]] Factors<A> by_column(const Rows<const A>& rows) {
  return {rows.first, 1, rows.stride};
}

/// f(first, std::integral_constant<int, own>) on pieces of [0, count): of the first size while they fit, then of the
/// next.
template <int Size, int... Smaller, class F>
void in_pieces(Index count, const F& f, Index first = 0) {
  for (; first + Size <= count; first += Size) f(first, std::integral_constant<int, Size>{});
  if constexpr (sizeof...(Smaller) > 0) in_pieces<Smaller...>(count, f, first);
}

/// Rows that go through the same columns side by side, two registers each: as many as leave registers for the rest.
inline constexpr int rows_at_once = register_bytes == 64 ? 8 : 4;

/// Steps that are summed up in A before their sum moves on.
inline constexpr Index steps_at_once = 64;

/// to += sum, lane by lane.
template <class A, int L, class Y>
[[gnu::always_inline]] inline void add_to_all(Pack<A, L> sum, Y* to) {
  using Wide = typename Pack<Y, L>::Native;
  Wide all;
  std::memcpy(&all, to, sizeof(all));
  all += __builtin_convertvector(sum.v, Wide);
  std::memcpy(to, &all, sizeof(all));
}
template <std::floating_point A, class Y>
[[gnu::always_inline]] inline void add_to_all(A sum, Y* to) {
  *to += static_cast<Y>(sum);
}

/// sums[a][i] += sum_k factor(a, k) x[k][i] for a < Count, k < depth and as many i as `Packs` of P have lanes; the sum
/// over k stays in registers. P is a pack of A, or A.
template <int Count, int Packs, class P, class A, class X, class Y>
[[gnu::always_inline]] inline void add_columns(Index depth, const Factors<A>& factors, const Rows<const X>& x,
                                               const Rows<Y>& sums) {
  constexpr Index width = sizeof(P) / sizeof(A);
  std::array<std::array<P, Packs>, Count> sum;
  unrolled<Count>([&](auto a) { unrolled<Packs>([&](auto p) { sum[a][p] = P(0); }); });
  const A* factor = factors.first;
  const X* row = x.first;
  for (Index k = 0; k < depth; ++k, row += x.stride, factor += factors.by) {
    std::array<P, Packs> own;
    unrolled<Packs>([&](auto p) { own[p] = load<P>(row + p * width); });
    unrolled<Count>([&](auto a) {
      const P all(factor[a * factors.to]);
      unrolled<Packs>([&](auto p) { sum[a][p] = multiply_add(all, own[p], sum[a][p]); });
    });
  }
  unrolled<Count>([&](auto a) { unrolled<Packs>([&](auto p) { add_to_all(sum[a][p], sums[a] + p * width); }); });
}

/// The same for i < columns.
template <int Count, class A, class X, class Y>
void add_all_columns(Index depth, Index columns, const Factors<A>& factors, const Rows<const X>& x,
                     const Rows<Y>& sums) {
  using P = pack_for<A>;
  Index i = 0;
  for (; i + 2 * P::lanes <= columns; i += 2 * P::lanes)
    add_columns<Count, 2, P>(depth, factors, x.from(0, i), sums.from(0, i));
  for (; i + P::lanes <= columns; i += P::lanes)
    add_columns<Count, 1, P>(depth, factors, x.from(0, i), sums.from(0, i));
  for (; i < columns; ++i) add_columns<Count, 1, A>(depth, factors, x.from(0, i), sums.from(0, i));
}

/// sums[a][i] += sum_k factor(a, k) x[k][i] for a < rows, k < depth, i < columns.
template <class A, class X, class Y>
void add_products(Index rows, Index depth, Index columns, const Factors<A>& factors, const Rows<const X>& x,
                  const Rows<Y>& sums) {
  for (Index k = 0; k < depth; k += steps_at_once)
    in_pieces<rows_at_once, 1>(rows, [&](Index a, auto own_rows) {
      add_all_columns<own_rows>(std::min(steps_at_once, depth - k), columns, factors.from(a, k), x.from(k, 0),
                                sums.from(a, 0));
    });
}

/// Pairs of packs whose numbers differ in `Bit` become one: its lanes with that bit clear hold sums of the first pack,
/// the others of the second.
template <int Bit, class P, std::size_t Count>
[[gnu::always_inline]] inline void fold_lanes(std::array<P, Count>& packs) {
  if constexpr (Bit < static_cast<int>(Count)) {
    unrolled<static_cast<int>(Count)>([&](auto i) {
      if constexpr ((i & (2 * Bit - 1)) == 0) {
        exchange<Bit>(packs[i], packs[i + Bit], std::make_integer_sequence<int, P::lanes>{});
        packs[i] += packs[i + Bit];
      }
    });
    fold_lanes<Bit * 2>(packs);
  }
}

/// The sum of the lanes of every pack, each in the same order.
template <class P, std::size_t Count>
[[nodiscard, gnu::always_inline]] inline auto lane_sums(const std::array<P, Count>& packs) {
  constexpr auto lanes = static_cast<std::size_t>(P::lanes);
  std::array<std::remove_cvref_t<decltype(packs[0].v[0])>, Count> sums;
  unrolled<static_cast<int>((Count + lanes - 1) / lanes)>([&](auto group) {
    std::array<P, lanes> rows;
    unrolled<static_cast<int>(lanes)>([&](auto i) {
      constexpr std::size_t pack = group * lanes + i;
      rows[i] = pack < Count ? packs[pack % Count] : P(0);
    });
    fold_lanes<1>(rows);
    for (std::size_t i = 0; i < std::min(lanes, Count - group * lanes); ++i) sums[group * lanes + i] = rows[0].v[i];
  });
  return sums;
}

/// y[s][o] += sum_i w[o][i] x[s][i] for o < O, s < S, i < count.
template <int O, int S, class A, class W>
void add_dots(Index count, const Rows<const W>& w, const Rows<const A>& x, const Rows<double>& y) {
  using P = pack_for<A>;
  std::array<P, static_cast<std::size_t>(O * S)> lanes;
  unrolled<O * S>([&](auto i) { lanes[i] = P(0); });
  Index i = 0;
  for (; i + P::lanes <= count; i += P::lanes) {
    std::array<P, S> own;
    unrolled<S>([&](auto s) { own[s] = load<P>(x[s] + i); });
    unrolled<O>([&](auto o) {
      const P weight = load<P>(w[o] + i);
      unrolled<S>([&](auto s) { lanes[s * O + o] = multiply_add(weight, own[s], lanes[s * O + o]); });
    });
  }
  auto sums = lane_sums(lanes);
  for (; i < count; ++i)
    for (Index s = 0; s < S; ++s)
      for (Index o = 0; o < O; ++o) {
        A& sum = at(sums, s * O + o);
        sum = multiply_add(static_cast<A>(w[o][i]), x[s][i], sum);
      }
  unrolled<S>([&](auto s) { add_to_all(load<Pack<A, O>>(sums.data() + s * O), y[s]); });
}

/// Numbers of a row that are multiplied in one go, so that those of several samples stay in the first cache.
inline constexpr Index dot_length = 512;

/// Rows of weights and of samples whose dot products are summed up side by side, a register each.
inline constexpr int outputs_at_once = 4;
inline constexpr int samples_at_once = register_bytes == 64 ? 4 : 2;

/// The same for o < outputs, s < samples and i < inputs.
template <class A, class W>
void add_all_dots(Index outputs, Index samples, Index inputs, const Rows<const W>& w, const Rows<const A>& x,
                  const Rows<double>& y) {
  in_pieces<outputs_at_once, 1>(outputs, [&](Index o, auto own) {
    for (Index i = 0; i < inputs; i += dot_length)
      in_pieces<samples_at_once, 2, 1>(samples, [&](Index s, auto own_samples) {
        add_dots<own, own_samples>(std::min(dot_length, inputs - i), w.from(o, i), x.from(s, i), y.from(s, o));
      });
  });
}

}  // namespace recal::detail
