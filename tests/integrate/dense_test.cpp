// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/integrate/dense.hpp>

#include "tests/support/derivative.hpp"
#include "tests/support/integrate_check.hpp"

using recal::Buffer;
using recal::DenseLayer;
using recal::Index;
using namespace recal::testing;

namespace {

/// Whether y = W x + b, x = W^T y and the gradients of several samples are what plain loops give.
template <class T>
bool right(Index inputs, Index outputs, bool biased) {
  DenseLayer<T> layer(inputs, outputs, biased, true, 5);
  const auto x = noise("x", 3 * inputs);
  const auto dy = noise("dy", 3 * outputs);
  Buffer<double> y(static_cast<std::size_t>(outputs), NAN);
  Buffer<double> dx(static_cast<std::size_t>(inputs), NAN);
  layer.apply(1, std::span(x).first(dx.size()), y);
  layer.apply_transposed(1, std::span(dy).first(y.size()), dx);
  layer.weight.grad.assign(layer.weight.grad.size(), T{1});
  layer.add_gradients(3, x, dy);

  Buffer<double> y_expected(y.size(), 0.0);
  Buffer<double> dx_expected(dx.size(), 0.0);
  double worst = 0;
  for (Index o = 0; o < outputs; ++o) {
    if (biased) recal::at(y_expected, o) = static_cast<double>(recal::at(layer.bias.value, o));
    for (Index i = 0; i < inputs; ++i) {
      const auto w = static_cast<double>(recal::at(layer.weight.value, o * inputs + i));
      recal::at(y_expected, o) += w * recal::at(x, i);
      recal::at(dx_expected, i) += w * recal::at(dy, o);
      double dw = 1;
      for (Index s = 0; s < 3; ++s) dw += recal::at(dy, s * outputs + o) * recal::at(x, s * inputs + i);
      worst = std::max(worst, std::abs(static_cast<double>(recal::at(layer.weight.grad, o * inputs + i)) - dw));
    }
    if (!biased) continue;
    const double db = recal::at(dy, o) + recal::at(dy, outputs + o) + recal::at(dy, 2 * outputs + o);
    worst = std::max(worst, std::abs(static_cast<double>(recal::at(layer.bias.grad, o)) - db));
  }
  constexpr double rounding = std::same_as<T, double> ? 1e-13 : 1e-6;
  return worst < (std::same_as<T, double> ? 1e-14 : 1e-6) && relative_error(y, y_expected) < rounding &&
         relative_error(dx, dx_expected) < rounding;
}

}  // namespace

TEST_CASE_TEMPLATE("products and gradients equal plain loops for all sizes", T, float, double) {
  int wrong = 0;
  for (Index inputs = 1; inputs <= 40; ++inputs)
    for (const Index outputs : {1, 2, 9, 17}) wrong += right<T>(inputs, outputs, inputs % 2 == 0) ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE("numbers that are too large for float are multiplied in double") {
  constexpr float large = 3e38F;
  DenseLayer<float> layer(40, 3, false);
  for (std::size_t i = 0; i < layer.weight.value.size(); ++i) layer.weight.value[i] = i % 2 == 0 ? large : -large;
  layer.weight.value[0] = 0.75F * large;
  const Buffer<double> x(40, 1e38);
  Buffer<double> y(3);
  layer.apply(1, x, y);
  CHECK(y[0] == doctest::Approx(-0.25 * static_cast<double>(large) * 1e38));
  CHECK(y[1] == 0);

  const Buffer<double> dy(3, 1e200);
  Buffer<double> dx(40);
  layer.apply_transposed(1, dy, dx);
  CHECK(dx[1] == doctest::Approx(-3e200 * static_cast<double>(large)));

  const Buffer<double> two_x = {0x1p100, 0x1p100};  // their products are exact
  const Buffer<double> two_dy = {0x1p100, -0x1p100};
  DenseLayer<float> small(1, 1);
  small.add_gradients(2, two_x, two_dy);
  CHECK(small.weight.grad[0] == 0);
  CHECK(small.bias.grad[0] == 0);
}

TEST_CASE("what is no number stays none") {
  DenseLayer<float> layer(3, 2);
  const Buffer<double> x = {1, NAN, 1};
  Buffer<double> y(2);
  layer.apply(1, x, y);
  CHECK(std::isnan(y[0]));
  CHECK(std::isnan(y[1]));
}

TEST_CASE("weights and biases start within 1/sqrt(I), by the seed") {
  const DenseLayer<double> layer(16, 32, true, true, 1);
  double most = 0;
  for (const double value : layer.weight.value) most = std::max(most, std::abs(value));
  CHECK(most <= 0.25);
  CHECK(most > 0.24);
  CHECK(layer.bias.value != Buffer<double>(32, 0.0));
  CHECK(layer.weight.value == DenseLayer<double>(16, 32, true, true, 1).weight.value);
  CHECK(layer.weight.value != DenseLayer<double>(16, 32, true, true, 2).weight.value);
  CHECK(layer.weight.value[0] != layer.bias.value[0]);
}

TEST_CASE("names, sizes and decay; no bias if none is wanted") {
  const DenseLayer<float> layer(3, 5, true, false);
  CHECK(leaf_names(layer) == std::vector<std::string>{"weight", "bias"});
  CHECK(layer.weight.shape == std::vector<Index>{5, 3});
  CHECK(layer.inputs() == 3);
  CHECK(layer.outputs() == 5);
  CHECK(layer.weight.decay);
  CHECK_FALSE(layer.bias.decay);
  CHECK(leaf_names(DenseLayer<float>(3, 5, false)) == std::vector<std::string>{"weight"});
}

TEST_CASE("no samples leave the gradients as they are") {
  DenseLayer<double> layer(3, 5);
  layer.add_gradients(0, {}, {});
  for (const double value : layer.weight.grad) CHECK(value == 0);
}

TEST_CASE("sizes below 1 are refused") {
  CHECK_THROWS_WITH_AS(DenseLayer<float>(0, 4),
                       "recal: a dense layer needs at least 1 input and 1 output, found 0 and 4", recal::error);
  CHECK_THROWS_WITH_AS(DenseLayer<float>(4, -1),
                       "recal: a dense layer needs at least 1 input and 1 output, found 4 and -1", recal::error);
}

TEST_CASE_TEMPLATE("several samples at once are the same bit for bit as one by one", T, float, double) {
  const Index samples = 5;
  for (const auto& [inputs, outputs] : {std::pair<Index, Index>{3, 7}, {300, 20}, {20, 300}}) {
    const DenseLayer<T> layer(inputs, outputs, true, true, 5);
    const auto x = noise("x", samples * inputs);
    const auto dy = noise("dy", samples * outputs);
    Buffer<double> y(dy.size(), NAN);
    Buffer<double> dx(x.size(), NAN);
    Buffer<double> y_alone(dy.size(), NAN);
    Buffer<double> dx_alone(x.size(), NAN);
    layer.apply(samples, x, y);
    layer.apply_transposed(samples, dy, dx);
    for (Index s = 0; s < samples; ++s) {
      const auto in = static_cast<std::size_t>(inputs);
      const auto out = static_cast<std::size_t>(outputs);
      const auto at_sample = static_cast<std::size_t>(s);
      layer.apply(1, std::span(x).subspan(at_sample * in, in), std::span(y_alone).subspan(at_sample * out, out));
      layer.apply_transposed(1, std::span(dy).subspan(at_sample * out, out),
                             std::span(dx_alone).subspan(at_sample * in, in));
    }
    CHECK(y == y_alone);
    CHECK(dx == dx_alone);
  }
}
