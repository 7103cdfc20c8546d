// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/conv_finish.hpp>

#include <doctest/doctest.h>

#include <recal/backend/cpu/conv2d.hpp>
#include <recal/backend/reference/conv2d.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using recal::testing::random_tensor;
using recal::testing::relative_error;

TEST_CASE("a finish that asks for nothing is empty, and one from a channel on sees the rest") {
  CHECK(ConvFinish<float>{}.empty());
  const float scale[] = {1, 2, 3};
  const float shortcut[] = {4, 5, 6};
  const ConvFinish<float> all{.scale = scale, .shortcut = TensorView<const float>(shortcut, {1, 3, 1, 1})};
  CHECK_FALSE(all.empty());
  const ConvFinish<float> rest = all.from_channel(2);
  CHECK(rest.scale_of(0) == 3.0F);
  CHECK(rest.shift_of(0) == 0.0F);
  CHECK(*rest.shortcut.plane(0, 0) == 6.0F);
  CHECK(rest.shortcut.shape.c == 1);
}

TEST_CASE("every way of finishing equals the reference") {
  const Shape in{3, 5, 9, 9};
  const Window window{3, 1, 1};
  const Shape out{3, 20, 9, 9};
  const auto x = random_tensor<float>("x", in);
  const auto weight = random_tensor<float>("weight", {20, 5, 3, 3});
  const auto scale = random_tensor<float>("scale", {1, 1, 1, 20});
  const auto shift = random_tensor<float>("shift", {1, 1, 1, 20});
  const auto shortcut = random_tensor<float>("shortcut", out);
  for (int bits = 0; bits < 16; ++bits) {
    CAPTURE(bits);
    ConvFinish<float> finish{.relu = (bits & 1) != 0};
    if ((bits & 2) != 0) finish.scale = scale.data();
    if ((bits & 4) != 0) finish.shift = shift.data();
    if ((bits & 8) != 0) finish.shortcut = shortcut.view();
    Tensor<float> expected(out);
    conv2d(Reference{}, x.view(), weight.data(), expected.view(), window, 1, finish);
    Tensor<float> y(out);
    conv2d(Cpu{}, x.view(), weight.data(), y.view(), window, 1, finish);
    CHECK(relative_error(y, expected) <= 2e-6);
  }
}
