// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/conv2d_weight.hpp>

#include <doctest/doctest.h>

#include "tests/support/conv_check.hpp"

using namespace recal;
using recal::testing::ConvCase;
using recal::testing::random_tensor;
using recal::testing::relative_error;

namespace {

template <class T, class B>
Tensor<T> weight_gradient(const B& backend, const ConvCase& c) {
  const auto x = random_tensor<T>("x", c.x);
  const auto dy = random_tensor<T>("dy", c.y());
  Tensor<T> dweight(Shape{1, 1, 1, c.weights()}, T{1});
  conv2d_backward_weight<T>(backend, x.view(), dy.view(), dweight.data(), nullptr, c.window, c.groups);
  return dweight;
}

}  // namespace

TEST_CASE("weight gradients equal the reference, however images and channels are shared out") {
  for (const ConvCase& c : {ConvCase{{9, 70, 8, 8}, 40, {1, 1, 0}}, ConvCase{{9, 40, 8, 8}, 70, {1, 1, 0}},
                            ConvCase{{40, 20, 9, 9}, 33, {3, 1, 1}}, ConvCase{{2, 200, 6, 6}, 150, {3, 1, 1}},
                            ConvCase{{2, 3, 30, 30}, 40, {7, 2, 3}}, ConvCase{{17, 130, 2, 2}, 90, {3, 1, 1}},
                            ConvCase{{3, 36, 10, 10}, 70, {3, 2, 1}, 2}, ConvCase{{5, 600, 2, 2}, 520, {1, 1, 0}}}) {
    CAPTURE(to_string(c));
    CHECK(relative_error(weight_gradient<double>(Cpu{}, c), weight_gradient<double>(Reference{}, c)) <= 1e-13);
    CHECK(relative_error(weight_gradient<float>(Cpu{}, c), weight_gradient<float>(Reference{}, c)) <= 2e-5);
  }
}

TEST_CASE("turn_pixels makes rows of the channels of a pixel, through images") {
  constexpr Index width = cpu::WideBlock<float>::columns;
  const auto x = random_tensor<float>("x", {3, width + 9, 2, 5});
  constexpr Index first = 7;
  constexpr Index last = 25;
  constexpr Index column = 2;
  constexpr Index columns = width + 5;
  Buffer<float> found(static_cast<std::size_t>(2 * (last - first) * width), NAN);
  cpu::turn_pixels<float>(x.view(), {}, first, last, column, columns, found.data());
  int wrong = 0;
  for (Index p = first; p < last; ++p)
    for (Index j = 0; j < 2 * width; ++j) {
      const float expected = j < columns ? x.view().plane(p / 10, column + j)[p % 10] : 0.0F;
      wrong += !(at(found, (j / width * (last - first) + p - first) * width + j % width) == expected);
    }
  CHECK(wrong == 0);
}
