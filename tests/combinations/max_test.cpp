// SPDX-License-Identifier: Apache-2.0
#include <recal/pool/max.hpp>

#include "tests/support/combinations.hpp"

TEST_CASE("gradients of every integration and gate on the pool max") {
  recal::testing::check_pool_of_one(recal::Max{});
}
