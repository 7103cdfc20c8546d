// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/eca.hpp>
#include <recal/testing/gradient_check.hpp>

#include "tests/support/module_golden.hpp"
#include "tests/support/noise_tensor.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("ECA agrees with the reference vectors") {
  check_cases("eca_",
              []<class T>(const Golden& g) { return Eca<T>(g.sizes("x")[1], static_cast<Index>(g.number("kernel"))); });
}

TEST_CASE("ECA's gradients agree with difference quotients") {
  Eca<double> narrow(8);
  Eca<double> wide(5, 7);
  for (const auto& report : {gradient_check(narrow, {2, 8, 3, 3}), gradient_check(wide, {3, 5, 2, 2})})
    CHECK_MESSAGE(report.good, report.text);
}

TEST_CASE("ECA's reach over channels (T6)") {
  Eca<double> eca(16, 5);
  const auto x = noise<double>({1, 16, 3, 3}, 2);
  auto changed = x;
  for (Index k = 0; k < 9; ++k) changed.view().plane(0, 8)[k] += 1;
  Tensor<double> before(x.shape());
  Tensor<double> after(x.shape());
  eca.infer(x, before);
  eca.infer(changed, after);
  for (Index c = 0; c < 16; ++c) CHECK((after(0, c, 0, 0) != before(0, c, 0, 0)) == (std::abs(c - 8) <= 2));
}

TEST_CASE("ECA's widths (T13)") {
  for (const auto& [channels, width] : {std::pair<Index, Index>{64, 3}, {256, 5}, {512, 5}, {1024, 5}, {2048, 7}})
    CHECK(parameter_count(Eca<float>(channels)) == width);
  CHECK_THROWS_WITH_AS(Eca<float>(8, 4), doctest::Contains("odd width, found 4"), error);
}
