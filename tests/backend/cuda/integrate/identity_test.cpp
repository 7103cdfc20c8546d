// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/identity.hpp>
#include <recal/integrate/identity.hpp>

#include "tests/support/device_integrate_check.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("the identity passes numbers through on a device") {
  check_device_integrate(3, 5, cuda::Pass::train,
                         [](const auto&, const auto& run) { run(Identity{}, cuda::Identity{}); });
}
