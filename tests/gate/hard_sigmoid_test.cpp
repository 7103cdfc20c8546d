// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/gate/hard_sigmoid.hpp>

#include "tests/support/gate_check.hpp"

using recal::HardSigmoid;
using recal::testing::gate_gradient_error;
using recal::testing::opened;

namespace {

double pulled(double z, const HardSigmoid& gate = {}) {
  double dz = NAN;
  gate.pull(&z, {.scale = 1, .shift = 100}, &dz);
  return dz;
}

constexpr HardSigmoid onnx{.slope = 0.2, .offset = 0.5};

}  // namespace

TEST_CASE("relu6(z + 3) / 6 by default") {
  CHECK(opened(HardSigmoid{}, 0) == 0.5);
  CHECK(opened(HardSigmoid{}, 1) == doctest::Approx(4.0 / 6).epsilon(1e-15));
  CHECK(opened(HardSigmoid{}, 3) == 1);
  CHECK(opened(HardSigmoid{}, -3) == 0);
  CHECK(opened(HardSigmoid{}, 2.999999) < 1);
  CHECK(opened(HardSigmoid{}, -2.999999) > 0);
}

TEST_CASE("ONNX's default is another function") {
  CHECK(opened(onnx, 1) == doctest::Approx(0.7).epsilon(1e-15));
  CHECK(opened(onnx, 2.5) == 1);
  CHECK(opened(onnx, -2.5) == 0);
  CHECK(pulled(1, onnx) == 0.2);
}

TEST_CASE("its gradient is that of the difference quotient, away from the knees") {
  for (const double z : {-5.0, -2.9, 0.0, 1.0, 2.9, 5.0}) {
    CHECK(gate_gradient_error(HardSigmoid{}, {z}) < 1e-8);
    CHECK(gate_gradient_error(onnx, {z}) < 1e-8);
  }
}

TEST_CASE("the gradient is 0 at the knees and beyond") {
  for (const double z : {3.0, -3.0, 1e4, -1e4}) CHECK(pulled(z) == 0);
  CHECK(pulled(2.999999) == doctest::Approx(1.0 / 6));
}

TEST_CASE("it saturates to exactly 0 and 1") {
  CHECK(opened(HardSigmoid{}, 1e4) == 1);
  CHECK(opened(HardSigmoid{}, -1e4) == 0);
}
