// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/channel_context.hpp>
#include <recal/integrate/channel_context.hpp>

#include "tests/support/device_integrate_check.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("the competition among channels on a device equals the host's") {
  for (const Index channels : {1, 7, 130})
    check_device_integrate(3, channels, cuda::Pass::train, [&](const auto& machine, const auto& run) {
      run(ChannelContext<float>(channels), cuda::ChannelContext(machine, channels));
    });
}
