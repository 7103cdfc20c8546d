// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <utility>

#include <recal/backend/conv_start.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>

namespace recal::cpu {

namespace detail {

/// One step of the transposition by butterflies: lanes whose bit `Bit` is clear stay in a or come
/// from b, the others the other way round.
template <int Bit, class P, int... Lane>
[[gnu::always_inline]] inline void exchange(P& a, P& b, std::integer_sequence<int, Lane...>) {
  constexpr int lanes = P::lanes;
  const auto low = __builtin_shufflevector(a.v, b.v, ((Lane & Bit) == 0 ? Lane : Lane - Bit + lanes)...);
  const auto high = __builtin_shufflevector(a.v, b.v, ((Lane & Bit) == 0 ? Lane + Bit : Lane + lanes)...);
  a.v = low;
  b.v = high;
}

template <int Bit, class P, std::size_t Lanes>
[[gnu::always_inline]] inline void exchange_all(std::array<P, Lanes>& rows) {
  if constexpr (Bit < static_cast<int>(Lanes)) {
    [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
      ((I & Bit ? void()
                : exchange<Bit>(rows[I], rows[(I | Bit) % Lanes], std::make_integer_sequence<int, P::lanes>{})),
       ...);
    }
    (std::make_index_sequence<Lanes>{});
    exchange_all<Bit * 2>(rows);
  }
}

}  // namespace detail

/// Lane j of row i becomes lane i of row j.
/// requires: as many rows as lanes
template <class P>
[[gnu::always_inline]] inline void transpose_lanes(std::array<P, static_cast<std::size_t>(P::lanes)>& rows) {
  detail::exchange_all<1>(rows);
}

/// to[j*to_stride + i] = f(from[i*from_stride + j]) for i, j < lanes of a register; f sees the i side by side.
template <class T, class F>
void transpose_square(const T* from, Index from_stride, T* to, Index to_stride, const F& f) {
  using P = pack_for<T>;
  std::array<P, static_cast<std::size_t>(P::lanes)> rows;
  for (int i = 0; i < P::lanes; ++i) rows[static_cast<std::size_t>(i)] = load<P>(from + i * from_stride);
  transpose_lanes(rows);
  for (int j = 0; j < P::lanes; ++j) store(to + j * to_stride, f(rows[static_cast<std::size_t>(j)]));
}

namespace detail {

/// transpose(), with maps.of<A>(i) as the map of row i, or of as many rows as A has lanes.
template <class T, class Maps>
void transpose_mapped(const T* from, Index rows, Index columns, Index from_stride, T* to, Index to_stride,
                      const Maps& maps) {
  using P = pack_for<T>;
  Index i = 0;
  for (; i + P::lanes <= rows; i += P::lanes) {
    const auto f = maps.template of<P>(i);
    Index j = 0;
    for (; j + P::lanes <= columns; j += P::lanes)
      transpose_square(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride, f);
    for (; j < columns; ++j)
      for (Index row = i; row < i + P::lanes; ++row)
        to[j * to_stride + row] = maps.template of<T>(row)(from[row * from_stride + j]);
  }
  for (; i < rows; ++i) {
    const auto f = maps.template of<T>(i);
    for (Index j = 0; j < columns; ++j) to[j * to_stride + i] = f(from[i * from_stride + j]);
  }
}

}  // namespace detail

/// to[j*to_stride + i] = start(from[i*from_stride + j]) for i < rows, j < columns; row i is the start's channel i.
template <class T>
void transpose(const T* from, Index rows, Index columns, Index from_stride, T* to, Index to_stride,
               const ConvStart<T>& start = {}) {
  start.visit(
      [&](const auto& maps) { detail::transpose_mapped(from, rows, columns, from_stride, to, to_stride, maps); });
}

}  // namespace recal::cpu
