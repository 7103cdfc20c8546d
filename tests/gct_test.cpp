// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/gct.hpp>
#include <recal/testing/gradient_check.hpp>

#include "tests/support/module_golden.hpp"
#include "tests/support/noise_tensor.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("GCT agrees with the reference vectors") {
  check_cases("gct_", []<class T>(const Golden& g) { return Gct<T>(g.sizes("x")[1]); });
}

TEST_CASE("GCT's gradients agree with difference quotients") {
  Gct<double> gct(6);
  stir_parameters(gct, 3);
  for (const auto& report : {gradient_check(gct, {2, 6, 3, 3}), gradient_check(gct, {1, 6, 1, 1})})
    CHECK_MESSAGE(report.good, report.text);
}

TEST_CASE("GCT is the identity at the start (T8)") {
  const auto x = noise<float>({2, 5, 4, 3}, 3);
  Tensor<float> y(x.shape());
  Gct<float> gct(5);
  gct.infer(x, y);
  for (Index i = 0; i < x.size(); ++i) CHECK(y.data()[i] == x.data()[i]);
  for_each_parameter(gct, [](const std::string& name, const auto& p) { CHECK(p.decay == (name != "beta")); });
}
