// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/gate/one_plus_tanh.hpp>

#include "tests/support/gate_check.hpp"

using recal::OnePlusTanh;
using recal::testing::gate_gradient_error;
using recal::testing::opened;

TEST_CASE("1 + tanh z: exactly the identity at 0, without a shift") {
  const double z = 0;
  CHECK(opened(OnePlusTanh{}, 0) == 1);
  CHECK(OnePlusTanh{}.open(&z).shift == 0);
  CHECK(opened(OnePlusTanh{}, 0.5) == doctest::Approx(1.46211715726000976).epsilon(1e-15));
}

TEST_CASE("its gradient is that of the difference quotient") {
  for (const double z : {-3.0, -0.4, 0.0, 0.7, 2.5}) CHECK(gate_gradient_error(OnePlusTanh{}, {z}) < 1e-8);
}

TEST_CASE("it saturates to 0 and 2 without NaN") {
  CHECK(opened(OnePlusTanh{}, 1e4) == 2);
  CHECK(opened(OnePlusTanh{}, -1e4) == 0);
  for (const double z : {1e4, -1e4}) {
    double dz = NAN;
    OnePlusTanh{}.pull(&z, {.scale = 1, .shift = 1}, &dz);
    CHECK(dz == 0);
  }
}
