// SPDX-License-Identifier: Apache-2.0
// The code of examples/cuda_module.cu, on the host run.
#include "examples/cuda_module.hpp"

#include <doctest/doctest.h>

#include "tests/support/host_run/machine.hpp"

TEST_CASE("the example of training on a device learns, on the host run too") {
  using namespace recal::testing;
  CHECK(::train(HostMachine(Schedule::random(1)), {.n = 6, .c = 5, .h = 3, .w = 5}, 100));
}
