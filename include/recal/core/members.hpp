// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// The members of a struct that holds nothing but A's. They are reached in place: a struct that is copied as a whole is
/// a struct in memory.
namespace recal::detail {

template <class A, class Struct>
inline constexpr std::size_t member_count = sizeof(Struct) / sizeof(A);

template <class A, class Struct>
[[nodiscard, gnu::always_inline]] inline A& member(Struct& all, std::size_t m) {
  return reinterpret_cast<A*>(&all)[m];
}
template <class A, class Struct>
[[nodiscard, gnu::always_inline]] inline const A& member(const Struct& all, std::size_t m) {
  return reinterpret_cast<const A*>(&all)[m];
}

}  // namespace recal::detail
