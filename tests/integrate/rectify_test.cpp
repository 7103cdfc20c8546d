// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/integrate/rectify.hpp>

#include "tests/support/integrate_check.hpp"

using recal::Buffer;
using recal::testing::IntegrateWalk;

TEST_CASE("negative numbers become 0, the others stay") {
  const Buffer<double> t{-2, -0.5, 0, 0.5, 3};
  Buffer<double> z(5, -1.0);
  recal::Rectify{}.infer(0, t, z);
  CHECK(z == Buffer<double>{0, 0, 0, 0.5, 3});
}

TEST_CASE("the gradient passes where t is positive, not at 0") {
  const Buffer<double> t{-2, 0, 3};
  const Buffer<double> dz{5, 6, 7};
  Buffer<double> dt(3, -1.0);
  recal::NoTape tape;
  recal::Rectify rectify;
  rectify.backward(0, t, dz, dt, tape);
  CHECK(dt == Buffer<double>{0, 0, 7});
}

TEST_CASE("forward, inference and difference quotients agree") {
  IntegrateWalk walk(recal::Rectify{}, {.groups = 3, .rows = 5});
  CHECK(walk.forward() == walk.infer());
  CHECK(walk.gradient_error() < 1e-9);
}
