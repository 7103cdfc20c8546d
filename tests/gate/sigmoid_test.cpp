// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/gate/sigmoid.hpp>

#include "tests/support/gate_check.hpp"

using recal::Sigmoid;
using recal::testing::gate_gradient_error;
using recal::testing::opened;

namespace {

double sigmoid_pulled(double z) {
  double dz = NAN;
  Sigmoid{}.pull(&z, {.scale = 1, .shift = 100}, &dz);
  return dz;
}

}  // namespace

TEST_CASE("1 / (1 + exp(-z)), and no shift") {
  const double z = 4;
  CHECK(opened(Sigmoid{}, 0) == 0.5);
  CHECK(opened(Sigmoid{}, 4) == doctest::Approx(0.98201379003790845).epsilon(1e-15));
  CHECK(opened(Sigmoid{}, -4) == doctest::Approx(1 - 0.98201379003790845).epsilon(1e-14));
  CHECK(Sigmoid{}.open(&z).shift == 0);
}

TEST_CASE("its gradient is that of the difference quotient") {
  for (const double z : {-6.0, -1.5, 0.0, 0.3, 2.0, 7.0}) CHECK(gate_gradient_error(Sigmoid{}, {z}) < 1e-8);
}

TEST_CASE("it saturates to 0 and 1 without NaN") {
  CHECK(opened(Sigmoid{}, 1e4) == 1);
  CHECK(opened(Sigmoid{}, -1e4) == 0);
  CHECK(sigmoid_pulled(1e4) == 0);
  CHECK(sigmoid_pulled(-1e4) == 0);
}

TEST_CASE("the gradient does not vanish before exp(-|z|) does, on either side") {
  for (const double z : {17.0, 40.0, 200.0, 700.0}) {
    CHECK(sigmoid_pulled(z) == doctest::Approx(std::exp(-z)).epsilon(1e-6));
    CHECK(sigmoid_pulled(-z) == sigmoid_pulled(z));
  }
}
