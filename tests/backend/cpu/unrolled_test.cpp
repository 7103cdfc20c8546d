// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/unrolled.hpp>

TEST_CASE("every index comes once, in order, as a constant") {
  std::vector<int> seen;
  recal::cpu::detail::unrolled<4>([&](auto i) {
    static_assert(decltype(i)::value < 4);
    seen.push_back(i);
  });
  CHECK(seen == std::vector<int>{0, 1, 2, 3});
  recal::cpu::detail::unrolled<0>([&](auto) { seen.clear(); });
  CHECK(seen.size() == 4);
}
