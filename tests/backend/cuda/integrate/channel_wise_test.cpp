// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/channel_wise.hpp>
#include <recal/integrate/channel_wise.hpp>

#include "tests/support/device_integrate_check.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("channel-wise weights on a device equal the host's") {
  for (const Index rows : {1, 2, 40, 200})
    check_device_integrate(3, rows, cuda::Pass::train, [](const auto& machine, const auto& run) {
      run(ChannelWise<float, 2>(3), cuda::ChannelWise<2>(machine, 3));
    });
}
