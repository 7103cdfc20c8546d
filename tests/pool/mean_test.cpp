// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/pool/mean.hpp>

#include "tests/support/pool_check.hpp"

using recal::Index;
using recal::Mean;
using recal::testing::noise;
using recal::testing::pool_gradient_error;
using recal::testing::style_of;

TEST_CASE("the mean of a plane") {
  CHECK(style_of(Mean{}, recal::Buffer<float>{1, 2, 3, 6})[0] == 3);
  CHECK(style_of(Mean{}, recal::Buffer<double>{-7.5})[0] == -7.5);
}

TEST_CASE("its gradient is that of the difference quotient") {
  for (const Index count : {1, 2, 49}) CHECK(pool_gradient_error(Mean{}, count) < 1e-9);
}

TEST_CASE_TEMPLATE("ones in half precision have mean 1, and large numbers do not overflow", T, recal::half,
                   recal::bfloat16) {
  CHECK(style_of(Mean{}, recal::Buffer<T>(64 * 64, T(1.0F)))[0] == 1);
  CHECK(style_of(Mean{}, recal::Buffer<T>(112 * 112, T(32768.0F)))[0] == 32768);
}

TEST_CASE("the mean of a large offset keeps the digits of float") {
  const auto plane = noise<float>("plane", 3136, 1e6 - 1, 1e6 + 1);
  long double expected = 0;
  for (const float value : plane) expected += static_cast<long double>(value) / 3136;
  CHECK(std::abs(style_of(Mean{}, plane)[0] - static_cast<double>(expected)) < 1e-4);
}
