// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/response_norm.hpp>
#include <recal/integrate/response_norm.hpp>

#include "tests/support/device_integrate_check.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("response normalisation on a device equals the host's") {
  for (const Index channels : {1, 7, 130})
    check_device_integrate(3, channels, cuda::Pass::train, [&](const auto& machine, const auto& run) {
      run(ResponseNorm<float>(channels), cuda::ResponseNorm(machine, channels));
    });
}
