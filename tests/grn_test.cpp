// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/grn.hpp>
#include <recal/testing/gradient_check.hpp>

#include "tests/support/module_golden.hpp"
#include "tests/support/noise_tensor.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("GRN agrees with the reference vectors") {
  check_cases("grn_", []<class T>(const Golden& g) { return Grn<T>(g.sizes("x")[1]); });
}

TEST_CASE("GRN's gradients agree with difference quotients") {
  Grn<double> grn(6);
  stir_parameters(grn, 3);
  for (const auto& report : {gradient_check(grn, {2, 6, 3, 3}), gradient_check(grn, {1, 6, 1, 1})})
    CHECK_MESSAGE(report.good, report.text);
}

TEST_CASE("GRN is the identity at the start (T8)") {
  const auto x = noise<float>({2, 5, 4, 3}, 3);
  Tensor<float> y(x.shape());
  Grn<float>(5).infer(x, y);
  for (Index i = 0; i < x.size(); ++i) CHECK(y.data()[i] == x.data()[i]);
}

TEST_CASE("GRN on nothing but zeros") {
  Grn<float> grn(3);
  stir_parameters(grn, 3);
  const Tensor<float> x({2, 3, 4, 4}, 0.0F);
  Tensor<float> y(x.shape());
  Tensor<float> dx(x.shape());
  Grn<float>::Tape tape;
  grn.forward(x, y, tape);
  grn.backward(x, noise<float>(x.shape(), 1), dx, tape);
  for (Index i = 0; i < x.size(); ++i) CHECK((std::isfinite(y.data()[i]) && std::isfinite(dx.data()[i])));
}
