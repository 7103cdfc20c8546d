// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/unrolled.hpp>

TEST_CASE("every index comes once, in order, as a constant") {
  std::vector<int> seen;
  recal::unrolled<4>([&](auto i) {
    static_assert(decltype(i)::value < 4);
    seen.push_back(i);
  });
  CHECK(seen == std::vector<int>{0, 1, 2, 3});
  recal::unrolled<0>([&](auto) { seen.clear(); });
  CHECK(seen.size() == 4);
}
