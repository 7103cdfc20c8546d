// SPDX-License-Identifier: Apache-2.0
#include <recal/pool/mean_std.hpp>

#include "tests/support/combinations.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("gradients of every integration and gate on the pool mean_std") {
  const Index c = combination_shape.c;
  using Weights = ChannelWise<double, 2>;
  check_gates(MeanStd{}, Weights(c));
  check_gates(MeanStd{}, Then<Weights, ChannelNorm<double>>{Weights(c), ChannelNorm<double>(c)});
  check_gates(MeanStd{}, Then<Weights, Rectify>{Weights(c), Rectify{}});
}
