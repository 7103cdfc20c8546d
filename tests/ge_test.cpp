// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <recal/ge.hpp>
#include <recal/testing/gradient_check.hpp>

#include "tests/support/module_golden.hpp"
#include "tests/support/noise_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

GatherOptions gather_of(const Golden& g) {
  return {.extent = static_cast<Index>(g.number("extent")), .height = g.sizes("x")[2], .width = g.sizes("x")[3]};
}

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

}  // namespace

TEST_CASE("GE-theta-minus agrees with the reference vectors") {
  check_cases("ge_minus_",
              []<class T>(const Golden& g) { return GeThetaMinus<T>(g.sizes("x")[1], gather_of(g).extent); });
}

TEST_CASE("GE-theta agrees with the reference vectors") {
  check_cases("ge_theta_", []<class T>(const Golden& g) { return GeTheta<T>(g.sizes("x")[1], gather_of(g)); });
}

TEST_CASE("GE-theta-plus agrees with the reference vectors") {
  check_cases("ge_plus_", []<class T>(const Golden& g) {
    return GeThetaPlus<T>(g.sizes("x")[1],
                          {.gather = gather_of(g), .reduced = static_cast<Index>(g.number("reduced"))});
  });
}

TEST_CASE("GE's gradients agree with difference quotients") {
  for (const Index extent : {0, 2, 4, 16}) {
    CAPTURE(extent);
    const GatherOptions gather{.extent = extent, .height = 5, .width = 4};
    GeThetaMinus<double> minus(3, extent);
    GeTheta<double> theta(3, gather);
    GeThetaPlus<double> plus(3, {.gather = gather, .reduced = 2});
    stir_parameters(theta, 3, 0.3);
    stir_parameters(plus, 4, 0.3);
    for (const bool frozen : {false, true})
      for (const auto& report : {gradient_check(minus, {2, 3, 5, 4}, {.frozen = frozen}),
                                 gradient_check(theta, {3, 3, 5, 4}, {.frozen = frozen}),
                                 gradient_check(plus, {3, 3, 5, 4}, {.frozen = frozen})})
        CHECK_MESSAGE(report.good, report.text);
  }
  GeTheta<double> biased(2, {.extent = 2, .bias = true});
  const auto report = gradient_check(biased, {3, 2, 5, 4}, {.frozen = true});
  CHECK_MESSAGE(report.good, report.text);
}

TEST_CASE("GE-theta-minus on a worked example (T7)") {
  Tensor<double> x({1, 1, 4, 4});
  for (Index i = 0; i < 16; ++i) x.data()[i] = static_cast<double>(i);
  Tensor<double> y(x.shape());
  GeThetaMinus<double>(1, 2).infer(x, y);
  CHECK(std::abs(y(0, 0, 0, 3) - 2.946041370) <= 1e-9);
  CHECK(std::abs(y(0, 0, 3, 0) - 11.997558876) <= 1e-9);
  CHECK(std::abs(y(0, 0, 3, 3) - 14.999319032) <= 1e-9);
}

TEST_CASE("GE-theta-minus preserves constants, and a window as large as the map is the map (T7)") {
  for (const Index extent : {0, 2, 4, 8}) {
    const Tensor<double> x({2, 2, 7, 7}, 0.7);
    Tensor<double> y(x.shape());
    GeThetaMinus<double>(2, extent).infer(x, y);
    for (Index i = 0; i < x.size(); ++i) CHECK(std::abs(y.data()[i] - 0.7 * sigmoid(0.7)) <= 1e-14);
  }
  const auto x = noise<double>({2, 2, 7, 7}, 3);
  Tensor<double> local(x.shape());
  Tensor<double> global(x.shape());
  GeThetaMinus<double>(2, 8).infer(x, local);
  GeThetaMinus<double>(2, 0).infer(x, global);
  CHECK(relative_error(local, global) <= 1e-14);
}

TEST_CASE("positions by nearest resize (T7)") {
  const Index rows[5] = {0, 0, 1, 1, 2};
  for (Index i = 0; i < 5; ++i) CHECK(nearest(i, 5, 3) == rows[i]);
}

TEST_CASE("GE says what it cannot do") {
  CHECK_THROWS_WITH_AS(GeThetaMinus<float>(4, 6), doctest::Contains("a power of two from 2 on, found 6"), error);
  CHECK_THROWS_WITH_AS(GeThetaMinus<float>(4, 1), doctest::Contains("found 1"), error);
  CHECK_THROWS_WITH_AS(GeThetaMinus<float>(4, -2), doctest::Contains("found -2"), error);
  CHECK_THROWS_WITH_AS(GeTheta<float>(4, {}), doctest::Contains("give height and width, found 0 and 0"), error);
  GeTheta<float> theta(4, {.extent = 0, .height = 7, .width = 7});
  Tensor<float> x({2, 4, 7, 8}, 1.0F);
  Tensor<float> y(x.shape(), 7.0F);
  CHECK_THROWS_WITH_AS(theta.infer(x, y),
                       doctest::Contains("made for maps of 7 by 7, the input has shape (N=2, C=4, H=7, W=8)"), error);
  GeTheta<float>::Tape tape;
  Tensor<float> one({1, 4, 7, 7}, 1.0F);
  Tensor<float> one_y(one.shape(), 7.0F);
  CHECK_THROWS_WITH_AS(theta.forward(one, one_y, tape), doctest::Contains("in training, found 1"), error);
  for (Index i = 0; i < one_y.size(); ++i) CHECK(one_y.data()[i] == 7.0F);
}

TEST_CASE("GE's parameters decay where the paper says so") {
  GeThetaPlus<float> plus(4, {.gather = {.extent = 4}});
  for_each_parameter(plus, [](const std::string& name, const auto& p) {
    CHECK(p.decay == (name.ends_with("weight") && name.find("bn") == name.npos));
  });
}
