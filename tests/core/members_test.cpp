// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/core/members.hpp>
#include <recal/core/pack.hpp>

namespace {

template <class A>
struct Two {
  A first;
  A second;
};

}  // namespace

TEST_CASE("the members of a struct, in the order in which they are declared") {
  using P = recal::Pack<float, 4>;
  static_assert(recal::detail::member_count<double, Two<double>> == 2);
  static_assert(recal::detail::member_count<P, Two<P>> == 2);
  const Two<double> numbers{1, 2};
  CHECK(recal::detail::member<double>(numbers, 0) == 1);
  CHECK(recal::detail::member<double>(numbers, 1) == 2);
  Two<P> packs{1, 2};
  recal::detail::member<P>(packs, 1) += P(3);
  CHECK(packs.second.v[3] == 5);
}
