// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/fixed_weights.hpp>

#include <limits>

#include <doctest/doctest.h>

#include <recal/nn/conv2d.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/same_bits.hpp"

using namespace recal;
using recal::cpu::FixedWeights;
using recal::nn::Conv2d;
using recal::testing::random_tensor;
using recal::testing::relative_error;
using recal::testing::same_bits;

namespace {

struct LayerCase {
  Index in, out;
  nn::Conv2dOptions options;
  Shape image;
};

/// By Winograd's algorithm, with packed panels of many pixels and of few, with a stride, in groups, with weights as
/// they lie, depthwise.
const LayerCase layer_cases[] = {
    {32, 40, {.kernel = 3, .padding = 1}, {2, 32, 14, 14}},
    {6, 20, {.kernel = 3, .padding = 1}, {3, 6, 12, 9}},
    {24, 36, {}, {2, 24, 7, 7}},
    {24, 36, {.stride = 2}, {2, 24, 10, 10}},
    {12, 20, {.kernel = 3, .groups = 2}, {2, 12, 6, 6}},
    {16, 16, {}, {2, 16, 32, 32}},
    {30, 18, {}, {1, 30, 1, 1}},
    {8, 8, {.kernel = 3, .padding = 1, .groups = 8}, {2, 8, 6, 6}},
};

template <class T>
Tensor<T> run(const Conv2d<T>& conv, const Tensor<T>& x, FixedWeights<T>* fixed) {
  Tensor<T> y(conv.output_shape(x.shape()));
  conv.forward(Cpu{}, x, y, conv.add_bias(), {}, fixed);
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("convolutions with fixed weights say the same, with the same bits whenever", T, float, double) {
  FixedWeights<T> fixed;
  for (const LayerCase& c : layer_cases) {
    CAPTURE(c.image);
    const Conv2d<T> conv(c.in, c.out, c.options);
    const auto x = random_tensor<T>("x", c.image);
    const auto first = run(conv, x, &fixed);
    CHECK(relative_error(first, run<T>(conv, x, nullptr)) <= 16 * std::numeric_limits<T>::epsilon());
    CHECK(same_bits(run(conv, x, &fixed), first));
    fixed.clear();  // before the layer goes and another lies in its place
  }
}

TEST_CASE("fixed weights serve images of any number and size") {
  const Conv2d<float> conv(32, 32, {.kernel = 3, .padding = 1});
  FixedWeights<float> fixed;
  for (const Shape& shape : {Shape{8, 32, 14, 14}, Shape{1, 32, 3, 3}, Shape{2, 32, 28, 28}, Shape{8, 32, 14, 14}}) {
    const auto x = random_tensor<float>("x", shape);
    CHECK(relative_error(run(conv, x, &fixed), run<float>(conv, x, nullptr)) <= 1e-6);
  }
}

TEST_CASE("fixed weights are packed once, and anew when they were forgotten") {
  Conv2d<float> conv(32, 32, {.kernel = 3, .padding = 1});
  FixedWeights<float> fixed;
  const auto x = random_tensor<float>("x", {8, 32, 14, 14});
  const auto before = run(conv, x, &fixed);
  CHECK(fixed.size() == 1);
  conv.initialise(1, "other");
  CHECK(same_bits(run(conv, x, &fixed), before));
  CHECK(fixed.size() == 1);
  fixed.clear();
  CHECK(fixed.size() == 0);
  const auto after = run(conv, x, &fixed);
  CHECK_FALSE(same_bits(after, before));
  CHECK(relative_error(after, run<float>(conv, x, nullptr)) <= 1e-6);
}
