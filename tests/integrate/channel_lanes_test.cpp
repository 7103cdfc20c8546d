// SPDX-License-Identifier: Apache-2.0
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/integrate/channel_lanes.hpp>

using recal::Index;

TEST_CASE("every channel of a block comes once, in a pack or by itself") {
  constexpr Index lanes = recal::pack_for<double>::lanes;
  for (Index channels = 0; channels <= 3 * lanes; ++channels) {
    std::vector<int> seen(static_cast<std::size_t>(channels), 0);
    Index packs = 0;
    recal::detail::for_each_channel_lanes(channels, [&](Index first, auto number, auto step) {
      constexpr bool pack = !std::is_same_v<decltype(number), double>;
      packs += pack;
      CHECK(Index{step} == channels);
      CHECK(std::is_same_v<decltype(step), recal::detail::OneChannel> == (channels == 1));
      for (Index i = first; i < first + (pack ? lanes : 1); ++i) ++seen[static_cast<std::size_t>(i)];
    });
    CHECK(seen == std::vector<int>(seen.size(), 1));
    CHECK(packs == channels / lanes);
  }
}
