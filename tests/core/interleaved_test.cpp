// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/interleaved.hpp>

using recal::load_interleaved;
using recal::Pack;
using recal::store_interleaved;

namespace {

template <class A>
constexpr std::size_t lanes_of() {
  if constexpr (std::is_arithmetic_v<A>)
    return 1;
  else
    return A::lanes;
}

template <class A>
double lane(const A& numbers, std::size_t i) {
  if constexpr (std::is_arithmetic_v<A>)
    return static_cast<double>(numbers);
  else
    return static_cast<double>(numbers.v[i]);
}

/// There and back, in memory of T.
template <class A, recal::Index D, class T>
void goes_there_and_back() {
  constexpr std::size_t lanes = lanes_of<A>();
  std::vector<T> from(lanes * D);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<T>(i + 1);
  const auto numbers = load_interleaved<A, D>(from.data());
  for (std::size_t i = 0; i < lanes; ++i)
    for (std::size_t d = 0; d < D; ++d) CHECK(lane(numbers[d], i) == static_cast<double>(i * D + d + 1));
  std::vector<T> to(from.size() + 1, T{-1});
  store_interleaved(to.data(), numbers);
  CHECK(to.back() == T{-1});
  to.pop_back();
  CHECK(to == from);
}

}  // namespace

TEST_CASE_TEMPLATE("lane i has the numbers that lie together in the i-th place", A, double, Pack<double, 2>,
                   Pack<double, 4>, Pack<double, 8>) {
  goes_there_and_back<A, 1, double>();
  goes_there_and_back<A, 2, double>();
  goes_there_and_back<A, 3, double>();
  goes_there_and_back<A, 4, double>();
  goes_there_and_back<A, 1, float>();
  goes_there_and_back<A, 2, float>();
  goes_there_and_back<A, 5, float>();
}
