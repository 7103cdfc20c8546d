// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/integrate/identity.hpp>

#include "tests/support/integrate_check.hpp"

using recal::testing::IntegrateWalk;

TEST_CASE("z is t, dt is dz") {
  IntegrateWalk walk(recal::Identity{}, {.groups = 3, .rows = 5});
  CHECK(walk.forward() == walk.t);
  CHECK(walk.infer() == walk.t);
  CHECK(walk.gradient_error() < 1e-9);
  CHECK(recal::parameter_count(recal::Identity{}) == 0);
}
