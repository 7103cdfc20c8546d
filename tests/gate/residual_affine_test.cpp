// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/gate/residual_affine.hpp>

#include "tests/support/gate_check.hpp"

using recal::ResidualAffine;
using recal::testing::gate_gradient_error;

TEST_CASE("x + z0 x + z1: exactly the identity at 0") {
  const double zero[2] = {0, 0};
  CHECK(ResidualAffine{}.open(zero).scale == 1);
  CHECK(ResidualAffine{}.open(zero).shift == 0);
  const double z[2] = {0.25, -3};
  CHECK(ResidualAffine{}.open(z).scale == 1.25);
  CHECK(ResidualAffine{}.open(z).shift == -3);
}

TEST_CASE("its gradients are those of difference quotients, of any size") {
  CHECK(gate_gradient_error(ResidualAffine{}, {0.25, -3}) < 1e-9);
  const double z[2] = {1e4, -1e4};
  double dz[2];
  ResidualAffine{}.pull(z, {.scale = 2, .shift = 3}, dz);
  CHECK(dz[0] == 2);
  CHECK(dz[1] == 3);
}
