// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/channel_norm.hpp>
#include <recal/integrate/channel_norm.hpp>

#include "tests/support/device_integrate_check.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("batch norm over samples on a device equals the host's") {
  for (const cuda::Pass pass : {cuda::Pass::train, cuda::Pass::frozen})
    for (const Index rows : {2, 8, 40, 200})
      check_device_integrate(3, rows, pass, [](const auto& machine, const auto& run) {
        run(ChannelNorm<float>(3), cuda::ChannelNorm(machine, 3));
      });
}

TEST_CASE("one sample in training is refused") {
  const HostMachine machine(Schedule::forward());
  const cuda::ChannelNorm norm(machine, 3);
  CHECK_THROWS_WITH_AS(norm.check(3, 1, true), doctest::Contains("at least 2 values per channel"), error);
  norm.check(3, 1, false);
}
