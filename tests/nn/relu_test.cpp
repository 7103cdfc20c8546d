// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/nn/relu.hpp>

#include "tests/support/random_tensor.hpp"

namespace {

using recal::Index;
using recal::Shape;
using recal::Tensor;
using recal::testing::random_tensor;

template <class T, class Backend>
void check_elementwise(const Backend& backend, const Shape& shape) {
  const auto a = random_tensor<T>("a", shape);
  const auto b = random_tensor<T>("b", shape);
  const auto dy = random_tensor<T>("dy", shape);
  Tensor<T> y(shape);
  Tensor<T> sum(shape);
  Tensor<T> dx(shape);
  Tensor<T> total = a;
  recal::nn::relu(backend, a, y);
  recal::nn::add_relu(backend, a, b, sum);
  recal::nn::relu_backward(backend, sum, dy, dx);
  recal::nn::accumulate(backend, b, total);
  Index wrong = 0;
  for (Index i = 0; i < shape.size(); ++i) {
    const T x = a.data()[i];
    const T z = x + b.data()[i];
    wrong += y.data()[i] == (x > T{} ? x : T{}) ? 0 : 1;
    wrong += sum.data()[i] == (z > T{} ? z : T{}) ? 0 : 1;
    wrong += dx.data()[i] == (z > T{} ? dy.data()[i] : T{}) ? 0 : 1;
    wrong += total.data()[i] == z ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("ReLU, add + ReLU, their backward and accumulate are what they say") {
  check_elementwise<float>(recal::Cpu{}, {2, 3, 7, 7});
  check_elementwise<float>(recal::Cpu{}, {3, 20, 40, 17});
  check_elementwise<double>(recal::Cpu{}, {1, 1, 1, 1});
  check_elementwise<float>(recal::Reference{}, {2, 3, 5, 9});
  check_elementwise<double>(recal::Cpu{}, {0, 3, 5, 9});
}

TEST_CASE("ReLU works in place and on a slice of channels") {
  Tensor<float> x = random_tensor<float>("x", {3, 5, 6, 7});
  const Tensor<float> before = x;
  const recal::TensorView<float> slice(x.view().plane(0, 1), {3, 2, 6, 7}, x.view().stride_n, x.view().stride_c);
  recal::nn::relu(recal::Cpu{}, slice, slice);
  Index changed_inside = 0;
  Index wrong = 0;
  for (Index n = 0; n < 3; ++n)
    for (Index c = 0; c < 5; ++c)
      for (Index i = 0; i < 42; ++i) {
        const float old = before.view().plane(n, c)[i];
        const float expected = c == 1 || c == 2 ? std::fmax(old, 0.0F) : old;
        wrong += x.view().plane(n, c)[i] == expected ? 0 : 1;
        changed_inside += x.view().plane(n, c)[i] != old ? 1 : 0;
      }
  CHECK(wrong == 0);
  CHECK(changed_inside > 0);
}

TEST_CASE("ReLU passes NaN on, and no gradient where the output is zero") {
  const Shape shape{1, 1, 4, 9};
  Tensor<float> x(shape, std::numeric_limits<float>::quiet_NaN());
  Tensor<float> y(shape);
  recal::nn::relu(recal::Cpu{}, x, y);
  for (Index i = 0; i < shape.size(); ++i) CHECK(std::isnan(y.data()[i]));
  Tensor<float> zero(shape, 0.0F);
  Tensor<float> dy(shape, 1.0F);
  recal::nn::relu_backward(recal::Cpu{}, zero, dy, dy);
  for (Index i = 0; i < shape.size(); ++i) CHECK(dy.data()[i] == 0.0F);
}

TEST_CASE("ReLU names both shapes of a mismatch") {
  Tensor<float> x({1, 2, 3, 4}, -1.0F);
  Tensor<float> y({1, 2, 4, 3}, 5.0F);
  CHECK_THROWS_WITH_AS(recal::nn::relu(recal::Cpu{}, x, y),
                       "recal: output of ReLU has shape (N=1, C=2, H=4, W=3), expected (N=1, C=2, H=3, W=4)",
                       recal::error);
  CHECK_THROWS_AS(recal::nn::add_relu(recal::Cpu{}, x, y, x), recal::error);
  CHECK_THROWS_AS(recal::nn::relu_backward(recal::Cpu{}, x, x, y), recal::error);
  CHECK_THROWS_AS(recal::nn::accumulate(recal::Cpu{}, x, y), recal::error);
  CHECK(y(0, 0, 0, 0) == 5.0F);
}

}  // namespace
