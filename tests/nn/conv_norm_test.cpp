// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/nn/conv_norm.hpp>
#include <recal/nn/relu.hpp>

#include "tests/support/block_check.hpp"

namespace {

using recal::Shape;
using recal::Tensor;
using recal::nn::ConvNorm;
using recal::testing::random_tensor;
using recal::testing::relative_error;

/// relu(norm(conv(x)) + shortcut) in one pass against the same in three.
template <class T, class Backend>
void check_inference(const Backend& backend, const Shape& shape, const recal::nn::Conv2dOptions& options) {
  ConvNorm<T> layer(shape.c, 10, options);
  recal::testing::fill_network(layer);
  const auto x = random_tensor<T>("x", shape);
  const Shape out = layer.conv.output_shape(shape);
  const auto shortcut = random_tensor<T>("shortcut", out);
  Tensor<T> expected(out);
  Tensor<T> found(out);
  recal::nn::Workspace<T> work;
  const double bound = std::is_same_v<T, double> ? 1e-13 : 2e-6;

  layer.conv.forward(backend, x, expected);
  layer.norm.infer(backend, expected, expected);
  layer.infer(backend, x.view(), found.view(), {}, work);
  CHECK(relative_error(found, expected) <= bound);

  recal::nn::add_relu(backend, expected, shortcut, expected);
  layer.infer(backend, x.view(), found.view(), {.shortcut = shortcut.view(), .relu = true}, work);
  CHECK(relative_error(found, expected) <= bound);
}

TEST_CASE("at inference convolution and norm are one pass that equals the two") {
  for (const recal::nn::Conv2dOptions& options :
       {recal::nn::Conv2dOptions{.kernel = 1}, recal::nn::Conv2dOptions{.kernel = 1, .stride = 2},
        recal::nn::Conv2dOptions{.kernel = 3, .stride = 2, .padding = 1}}) {
    check_inference<float>(recal::Cpu{}, {3, 6, 9, 9}, options);
    check_inference<float>(recal::Cpu{}, {3, 6, 3, 3}, options);
    check_inference<double>(recal::Cpu{}, {2, 6, 7, 5}, options);
    check_inference<double>(recal::Reference{}, {2, 6, 7, 5}, options);
  }
}

TEST_CASE("a shortcut of another shape is refused") {
  ConvNorm<float> layer(4, 4, {.kernel = 1});
  const Tensor<float> x({1, 4, 3, 3}, 1.0F);
  const Tensor<float> other({1, 4, 3, 2}, 1.0F);
  Tensor<float> y({1, 4, 3, 3}, 7.0F);
  recal::nn::Workspace<float> work;
  CHECK_THROWS_AS(layer.infer(recal::Cpu{}, x.view(), y.view(), {.shortcut = other.view()}, work), recal::error);
  CHECK(y.data()[0] == 7.0F);
}

}  // namespace
