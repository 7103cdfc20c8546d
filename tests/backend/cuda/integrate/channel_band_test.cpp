// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/channel_band.hpp>
#include <recal/integrate/channel_band.hpp>

#include "tests/support/device_integrate_check.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("a filter over channels on a device equals the host's") {
  for (const Index channels : {1, 2, 7, 130})
    for (const Index width : {1, 3, 5})
      check_device_integrate(3, channels, cuda::Pass::train, [&](const auto& machine, const auto& run) {
        run(ChannelBand<float>(width), cuda::ChannelBand(machine, width));
      });
}

TEST_CASE("an even filter is refused") {
  const HostMachine machine(Schedule::forward());
  CHECK_THROWS_WITH_AS(cuda::ChannelBand(machine, 4), doctest::Contains("an odd width, found 4"), error);
}
