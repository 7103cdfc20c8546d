// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/pool/l2.hpp>

#include "tests/support/pool_check.hpp"

using recal::Buffer;
using recal::Index;
using recal::L2;
using namespace recal::testing;

TEST_CASE("the norm is a root of a sum, eps inside") {
  CHECK(style_of(L2{}, Buffer<float>{3, -4})[0] == 5);
  CHECK(style_of(L2{.eps = 11}, Buffer<double>{3, -4})[0] == 6);
  CHECK(style_of(L2{}, Buffer<float>(10000, 0.5F))[0] == 50);
}

TEST_CASE("its gradient is that of the difference quotient") {
  for (const Index count : {1, 2, 49}) {
    CHECK(pool_gradient_error(L2{}, count) < 1e-8);
    CHECK(pool_gradient_error(L2{.eps = 1e-5}, count) < 1e-8);
  }
}

TEST_CASE("a plane of zeros has norm 0 and gradient 0") {
  CHECK(style_of(L2{}, Buffer<float>(49, 0.0F))[0] == 0);
  for (const double value : pulled(L2{}, Buffer<double>(9, 0.0), {1.0})) CHECK(value == 0);
}

TEST_CASE("squares may overflow float and half") {
  CHECK(style_of(L2{}, Buffer<float>(64, 1e30F))[0] == doctest::Approx(8e30));
  CHECK(style_of(L2{}, Buffer<recal::half>(64, recal::half(60000.0F)))[0] == doctest::Approx(480000));
  CHECK(style_of(L2{}, Buffer<recal::bfloat16>(64, recal::bfloat16(0x1p100F)))[0] == doctest::Approx(0x1p103));
}
