// SPDX-License-Identifier: Apache-2.0
#include <recal/nn/linear.hpp>

#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using recal::testing::random_tensor;
using recal::testing::relative_error;

TEST_CASE_TEMPLATE("Linear by hand", B, Cpu, Reference) {
  nn::Linear<double> layer(3, 2);
  layer.weight.value = {1, 2, 3, 4, 5, 6};
  layer.bias.value = {0.5, -0.5};
  double x[] = {1, 0, -1, 2, 1, 0};
  double y[4];
  const TensorView<double> in(x, {2, 3, 1, 1});
  layer.forward(B{}, in, TensorView<double>(y, {2, 2, 1, 1}));
  CHECK(y[0] == -1.5);
  CHECK(y[1] == -2.5);
  CHECK(y[2] == 4.5);
  CHECK(y[3] == 12.5);

  double dy[] = {1, 2, 3, -1};
  double dx[6];
  layer.weight.grad.assign(6, 100.0);
  layer.backward(B{}, in, TensorView<double>(dy, {2, 2, 1, 1}), TensorView<double>(dx, {2, 3, 1, 1}));
  CHECK(std::vector<double>(dx, dx + 6) == std::vector<double>{9, 12, 15, -1, 1, 3});
  CHECK(layer.weight.grad == Buffer<double>{107, 103, 99, 100, 99, 98});
  CHECK(layer.bias.grad == Buffer<double>{4, 1});
}

TEST_CASE("Linear on the CPU equals the reference, with strides and odd sizes") {
  for (std::uint64_t i = 0; i < 12; ++i) {
    const Index n = i == 0 ? 0 : recal::testing::random_index("n", i, 1, 40);
    const Index in = recal::testing::random_index("in", i, 1, 300);
    const Index out = recal::testing::random_index("out", i, 1, 150);
    CAPTURE(n);
    CAPTURE(in);
    CAPTURE(out);
    nn::Linear<float> layer(in, out);
    nn::Linear<float> other = layer;
    const auto x = random_tensor<float>("x", {n, in, 1, 1});
    const auto dy = random_tensor<float>("dy", {n, out, 1, 1});
    Tensor<float> y(dy.shape());
    Tensor<float> dx(x.shape());
    other.forward(Reference{}, x, y);
    other.backward(Reference{}, x, dy, dx);

    recal::testing::StridedTensor<float> strided_x(x);
    recal::testing::StridedTensor<float> strided_dy(dy);
    recal::testing::StridedTensor<float> found_y(y.shape());
    recal::testing::StridedTensor<float> found_dx(x.shape());
    layer.forward(Cpu{}, strided_x.view(), found_y.view());
    layer.backward(Cpu{}, strided_x.view(), strided_dy.view(), found_dx.view());
    CHECK(relative_error(found_y.view(), y) <= 2e-6);
    CHECK(relative_error(found_dx.view(), dx) <= 2e-5);
    CHECK(relative_error(layer.weight.grad, other.weight.grad) <= 2e-5);
    CHECK(relative_error(layer.bias.grad, other.bias.grad) <= 2e-5);
    CHECK(found_y.gaps_untouched());
    CHECK(found_dx.gaps_untouched());
  }
}

TEST_CASE("Linear's faults state both sides") {
  nn::Linear<float> layer(4, 3);
  Tensor<float> x(Shape{2, 5, 1, 1}, 0.0F);
  Tensor<float> map(Shape{2, 4, 2, 1}, 0.0F);
  Tensor<float> y(Shape{2, 3, 1, 1}, 7.0F);
  CHECK_THROWS_WITH_AS(layer.forward(Cpu{}, x, y),
                       "recal: a dense layer takes 4 features as channels of one-pixel maps, its input is (N=2, C=5, "
                       "H=1, W=1)",
                       error);
  CHECK_THROWS_AS(layer.forward(Cpu{}, map, y), error);
  Tensor<float> right(Shape{2, 4, 1, 1}, 0.0F);
  Tensor<float> wide(Shape{2, 4, 1, 1}, 0.0F);
  CHECK_THROWS_WITH_AS(layer.forward(Cpu{}, right, wide),
                       "recal: a dense layer's output has shape (N=2, C=4, H=1, W=1), expected (N=2, C=3, H=1, W=1)",
                       error);
  CHECK_THROWS_AS(layer.backward(Cpu{}, right, wide, right), error);
  CHECK_THROWS_AS(layer.backward(Cpu{}, right, y, x), error);
  CHECK_THROWS_AS(nn::Linear<float>(0, 3), error);
  CHECK(y(0, 0, 0, 0) == 7.0F);
  for (const float gradient : layer.weight.grad) CHECK(gradient == 0.0F);
}

TEST_CASE("Linear begins within 1 / sqrt(inputs)") {
  const nn::Linear<float> layer(100, 50);
  float largest = 0;
  double sum = 0;
  for (const float value : layer.weight.value) {
    largest = std::max(largest, std::abs(value));
    sum += static_cast<double>(value);
  }
  CHECK(largest <= 0.1F);
  CHECK(largest > 0.099F);
  CHECK(std::abs(sum / 5000) < 0.003);
  CHECK(layer.weight.shape == std::vector<Index>{50, 100});
  CHECK(layer.bias.shape == std::vector<Index>{50});
}
