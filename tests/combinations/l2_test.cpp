// SPDX-License-Identifier: Apache-2.0
#include <recal/pool/l2.hpp>

#include "tests/support/combinations.hpp"

TEST_CASE("gradients of every integration and gate on the pool l2") {
  recal::testing::check_pool_of_one(recal::L2{.eps = 1e-5});
}
