// SPDX-License-Identifier: Apache-2.0
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/for_each_lanes.hpp>

using recal::Index;

TEST_CASE("every item comes once, in order: in packs as long as they are full, then one by one") {
  constexpr Index lanes = recal::pack_for<double>::lanes;
  for (Index count = 0; count <= 3 * lanes; ++count) {
    Index next = 0;
    Index packs = 0;
    recal::detail::for_each_lanes(count, [&](Index i, auto number) {
      constexpr bool pack = !std::is_same_v<decltype(number), double>;
      CHECK(i == next);
      next += pack ? lanes : 1;
      packs += pack;
    });
    CHECK(next == count);
    CHECK(packs == count / lanes);
  }
}
