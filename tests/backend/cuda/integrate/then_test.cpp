// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/channel_band.hpp>
#include <recal/backend/cuda/integrate/channel_norm.hpp>
#include <recal/backend/cuda/integrate/channel_wise.hpp>
#include <recal/backend/cuda/integrate/mlp.hpp>
#include <recal/backend/cuda/integrate/then.hpp>
#include <recal/integrate/channel_band.hpp>
#include <recal/integrate/channel_norm.hpp>
#include <recal/integrate/channel_wise.hpp>
#include <recal/integrate/mlp.hpp>
#include <recal/integrate/then.hpp>

#include "tests/support/device_integrate_check.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("a chain over the samples of a channel on a device equals the host's") {
  using OnHost = Then<ChannelWise<float, 2>, ChannelNorm<float>>;
  using OnDevice = cuda::Then<cuda::ChannelWise<2>, cuda::ChannelNorm>;
  for (const Index rows : {2, 8, 70})
    check_device_integrate(3, rows, cuda::Pass::train, [](const auto& machine, const auto& run) {
      run(OnHost{ChannelWise<float, 2>(3), ChannelNorm<float>(3)},
          OnDevice{cuda::ChannelWise<2>(machine, 3), cuda::ChannelNorm(machine, 3)});
    });
}

TEST_CASE("a chain over the channels of a sample on a device equals the host's") {
  using OnHost = Then<ChannelBand<float>, Mlp<float>>;
  using OnDevice = cuda::Then<cuda::ChannelBand, cuda::Mlp>;
  check_device_integrate(3, 20, cuda::Pass::train, [](const auto& machine, const auto& run) {
    run(OnHost{ChannelBand<float>(3), Mlp<float>(20, 4)},
        OnDevice{cuda::ChannelBand(machine, 3), cuda::Mlp(machine, 20, 4)},
        Then<ChannelBand<double>, Mlp<double>>{ChannelBand<double>(3), Mlp<double>(20, 4)});
  });
}
