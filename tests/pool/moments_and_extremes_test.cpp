// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/pool/moments_and_extremes.hpp>

namespace {

using recal::Index;

TEST_CASE("moments of one pixel and of a constant plane") {
  const recal::Cpu::Team team;
  const std::vector<float> plane(100, 3.25F);
  for (const Index count : {Index{1}, Index{100}}) {
    const auto m = recal::detail::plane_moments(team.reduce(recal::MomentsAndExtremes{}, count, plane.data()), count);
    CHECK(m.mean == 3.25);
    CHECK(m.squares == 0.0);
    CHECK(m.smallest == 3.25);
    CHECK(m.largest == 3.25);
  }
}

}  // namespace
