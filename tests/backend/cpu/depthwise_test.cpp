// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/depthwise.hpp>

#include <doctest/doctest.h>

#include "tests/support/conv_check.hpp"

using namespace recal;
using recal::testing::ConvCase;
using recal::testing::ConvResult;

TEST_CASE("is_depthwise: one filter for each channel") {
  CHECK(cpu::is_depthwise({1, 4, 3, 3}, {1, 4, 3, 3}, 4));
  CHECK_FALSE(cpu::is_depthwise({1, 4, 3, 3}, {1, 8, 3, 3}, 4));
  CHECK_FALSE(cpu::is_depthwise({1, 4, 3, 3}, {1, 4, 3, 3}, 2));
  CHECK_FALSE(cpu::is_depthwise({1, 1, 3, 3}, {1, 1, 3, 3}, 1));
}

TEST_CASE("depthwise convolutions equal the reference, whole-map kernels too") {
  for (const ConvCase& c : {ConvCase{{3, 5, 9, 7}, 5, {3, 2, 1}, 5}, ConvCase{{2, 4, 14, 14}, 4, {14, 1, 0}, 4},
                            ConvCase{{1, 2, 6, 8}, 2, {5, 1, 2}, 2}, ConvCase{{2, 3, 5, 5}, 3, {2, 3, 2}, 3},
                            ConvCase{{1, 2, 1, 1}, 2, {3, 1, 1}, 2}, ConvCase{{0, 2, 4, 4}, 2, {3, 1, 1}, 2}}) {
    CAPTURE(to_string(c));
    CHECK(ConvResult<double>(Cpu{}, c).error_against(ConvResult<double>(Reference{}, c)) <= 1e-13);
    CHECK(ConvResult<float>(Cpu{}, c).error_against(ConvResult<float>(Reference{}, c)) <= 2e-5);
  }
}
