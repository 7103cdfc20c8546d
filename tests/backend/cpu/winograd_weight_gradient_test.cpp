// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/winograd_weight_gradient.hpp>

#include <doctest/doctest.h>

#include "tests/support/conv_check.hpp"

using namespace recal;
using recal::testing::ConvCase;
using recal::testing::random_tensor;
using recal::testing::relative_error;

namespace {

template <class T, class W>
double gradient_error(const ConvCase& c, bool started) {
  const auto x = random_tensor<T>("x", c.x);
  const auto dy = random_tensor<T>("dy", c.y());
  const recal::testing::SomeStart<T> some(c.x.c);
  const ConvStart<T> start = started ? some.start() : ConvStart<T>{};
  Tensor<T> expected(Shape{1, 1, 1, c.weights()}, T{1});
  Tensor<T> dweight = expected;
  conv2d_backward_weight<T>(Reference{}, x.view(), dy.view(), expected.data(), nullptr, c.window, c.groups, start);
  cpu::add_weight_gradients_winograd<T, W>(x.view(), cpu::PatchGrid(c.x, c.y(), c.window), start, dy.view(),
                                           dweight.data(), c.groups);
  return relative_error(dweight, expected);
}

}  // namespace

TEST_CASE_TEMPLATE("weight gradients by Winograd's algorithm equal the reference, however they are shared out", W,
                   cpu::winograd::Tile2x2, cpu::winograd::Tile4x4) {
  for (const ConvCase& c : {ConvCase{{9, 70, 8, 8}, 40, {3, 1, 1}}, ConvCase{{2, 200, 7, 5}, 150, {3, 1, 1}},
                            ConvCase{{40, 5, 9, 9}, 33, {3, 1, 0}}, ConvCase{{1, 3, 30, 31}, 2, {3, 1, 2}},
                            ConvCase{{3, 36, 10, 10}, 70, {3, 1, 1}, 2}})
    for (const bool started : {false, true}) {
      CAPTURE(to_string(c));
      CHECK(gradient_error<double, W>(c, started) <= 1e-13);
      CHECK(gradient_error<float, W>(c, started) <= 2e-5);
    }
}
