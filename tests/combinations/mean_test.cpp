// SPDX-License-Identifier: Apache-2.0
#include <recal/pool/mean.hpp>

#include "tests/support/combinations.hpp"

TEST_CASE("gradients of every integration and gate on the pool mean") {
  recal::testing::check_pool_of_one(recal::Mean{});
}
