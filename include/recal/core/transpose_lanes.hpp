// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <recal/core/pack.hpp>

namespace recal {

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

}  // namespace recal
