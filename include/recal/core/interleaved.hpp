// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>

/// Numbers that belong to lanes and lie D together in memory: lane i has from[i * D] to from[i * D + D - 1].
namespace recal {

namespace detail {

template <class P, int... Lane>
[[gnu::always_inline]] inline void split_pairs(P& a, P& b, std::integer_sequence<int, Lane...>) {
  const auto even = __builtin_shufflevector(a.v, b.v, (2 * Lane)...);
  b.v = __builtin_shufflevector(a.v, b.v, (2 * Lane + 1)...);
  a.v = even;
}

template <class P, int... Lane>
[[gnu::always_inline]] inline void join_pairs(P& a, P& b, std::integer_sequence<int, Lane...>) {
  constexpr int lanes = P::lanes;
  const auto low = __builtin_shufflevector(a.v, b.v, (Lane / 2 + Lane % 2 * lanes)...);
  b.v = __builtin_shufflevector(a.v, b.v, (Lane / 2 + lanes / 2 + Lane % 2 * lanes)...);
  a.v = low;
}

}  // namespace detail

/// All that the lanes of an A, a pack or a scalar, have: the d-th number of each in element d.
template <class A, Index D, class T>
[[nodiscard, gnu::always_inline]] inline std::array<A, static_cast<std::size_t>(D)> load_interleaved(const T* from) {
  std::array<A, static_cast<std::size_t>(D)> numbers;
  if constexpr (std::is_arithmetic_v<A>) {
    for (std::size_t d = 0; d < D; ++d) numbers[d] = load<A>(from + d);
  } else if constexpr (D <= 2) {
    for (std::size_t d = 0; d < D; ++d) numbers[d] = load<A>(from + d * A::lanes);
    if constexpr (D == 2) detail::split_pairs(numbers[0], numbers[1], std::make_integer_sequence<int, A::lanes>{});
  } else {
    for (int lane = 0; lane < A::lanes; ++lane)
      for (std::size_t d = 0; d < D; ++d) numbers[d].v[lane] = from[static_cast<std::size_t>(lane) * D + d];
  }
  return numbers;
}

/// The way back.
template <class A, std::size_t D, class T>
[[gnu::always_inline]] inline void store_interleaved(T* to, std::array<A, D> numbers) {
  if constexpr (std::is_arithmetic_v<A>) {
    for (std::size_t d = 0; d < D; ++d) store(to + d, numbers[d]);
  } else if constexpr (D <= 2) {
    if constexpr (D == 2) detail::join_pairs(numbers[0], numbers[1], std::make_integer_sequence<int, A::lanes>{});
    for (std::size_t d = 0; d < D; ++d) store(to + d * A::lanes, numbers[d]);
  } else {
    for (int lane = 0; lane < A::lanes; ++lane)
      for (std::size_t d = 0; d < D; ++d)
        to[static_cast<std::size_t>(lane) * D + d] = static_cast<T>(numbers[d].v[lane]);
  }
}

}  // namespace recal
