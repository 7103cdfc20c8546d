// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/mlp.hpp>
#include <recal/integrate/mlp.hpp>

#include "tests/support/device_integrate_check.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("a bottleneck on a device equals the host's") {
  for (const Index channels : {1, 7, 64, 130})
    for (const bool biased : {true, false})
      check_device_integrate(3, channels, cuda::Pass::train, [&](const auto& machine, const auto& run) {
        run(Mlp<float>(channels, 5, biased), cuda::Mlp(machine, channels, 5, biased), Mlp<double>(channels, 5, biased));
      });
}

TEST_CASE("a bottleneck without channels is refused") {
  const HostMachine machine(Schedule::forward());
  CHECK_THROWS_WITH_AS(cuda::Mlp(machine, 4, 0), doctest::Contains("found 4 and 0"), error);
}
