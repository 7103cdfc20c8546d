// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/conv_start.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "tests/support/conv_check.hpp"
#include "tests/support/started.hpp"

using namespace recal;
using recal::testing::ConvCase;
using recal::testing::random_tensor;
using recal::testing::relative_error;
using recal::testing::SomeStart;

namespace {

/// Of a convolution of start(x): with the start, and of a tensor that holds start(x).
template <class T>
struct StartedConv {
  Tensor<T> y, expected_y, dweight, expected_dweight;

  template <class B>
  StartedConv(const B& backend, const ConvCase& c)
      : y(c.y(), static_cast<T>(NAN)),
        expected_y(c.y(), static_cast<T>(NAN)),
        dweight({1, 1, 1, c.weights()}, T{1}),
        expected_dweight(dweight) {
    const SomeStart<T> some(c.x.c);
    const ConvStart<T> start = some.start();
    const auto x = random_tensor<T>("x", c.x);
    const auto dy = random_tensor<T>("dy", c.y());
    const auto weight = random_tensor<T>("weight", dweight.shape());
    const ConvFinish<T> none;
    T* const no_bias = nullptr;
    const Tensor<T> mapped = recal::testing::started(typename B::Team{}, x, start);
    conv2d(backend, x.view(), weight.data(), y.view(), c.window, c.groups, none, start);
    conv2d(backend, mapped.view(), weight.data(), expected_y.view(), c.window, c.groups);
    conv2d_backward_weight(backend, x.view(), dy.view(), dweight.data(), no_bias, c.window, c.groups, start);
    conv2d_backward_weight(backend, mapped.view(), dy.view(), expected_dweight.data(), no_bias, c.window, c.groups);
  }

  [[nodiscard]] double error() const {
    return std::max(relative_error(y, expected_y), relative_error(dweight, expected_dweight));
  }
};

void check_started(const ConvCase& c) {
  CAPTURE(to_string(c));
  CHECK(StartedConv<float>(Cpu{}, c).error() == 0.0);
  CHECK(StartedConv<double>(Cpu{}, c).error() == 0.0);
  CHECK(StartedConv<float>(Reference{}, c).error() <= 1e-6);  // which keeps start(x) in double
  CHECK(StartedConv<double>(Reference{}, c).error() == 0.0);
}

}  // namespace

TEST_CASE("a start that asks for nothing is empty, and one from a channel on sees the rest") {
  CHECK(ConvStart<float>{}.empty());
  CHECK(ConvStart<float>{}.from_channel(2).empty());
  const float scale[] = {1, 2, -3};
  const float centre[] = {4, 5, 6};
  const float shift[] = {7, 8, 9};
  const ConvStart<float> all{scale, centre, shift};
  CHECK_FALSE(all.empty());
  CHECK(all.of(1)(7.0F) == 12.0F);
  const ConvStart<float> rest = all.from_channel(2);
  CHECK(rest.of(0)(5.0F) == 12.0F);
  CHECK(rest.of<double>(0)(10.0) == 0.0);
}

TEST_CASE("a convolution with a start is that of the mapped tensor, bit for bit on the CPU") {
  for (std::uint64_t i = 0; i < 100; ++i) check_started(recal::testing::random_conv(i));
}

TEST_CASE("a start where tiles, splits, chunks of the depth and layouts end") {
  for (const ConvCase& c : {ConvCase{{3, 300, 2, 2}, 140, {1, 1, 0}}, ConvCase{{5, 40, 5, 5}, 260, {3, 1, 1}},
                            ConvCase{{1, 2, 41, 37}, 3, {3, 2, 1}}, ConvCase{{17, 33, 3, 1}, 7, {3, 1, 1}},
                            ConvCase{{2, 6, 9, 9}, 258, {3, 1, 1}, 2}, ConvCase{{1, 3, 40, 70}, 70, {7, 2, 3}},
                            ConvCase{{2, 70, 20, 20}, 40, {1, 1, 0}}, ConvCase{{2, 11, 20, 20}, 9, {3, 1, 0}},
                            ConvCase{{3, 9, 7, 7}, 9, {1, 1, 0}}, ConvCase{{2, 300, 7, 5}, 30, {1, 2, 0}},
                            ConvCase{{2, 4, 14, 14}, 4, {14, 1, 0}, 4}, ConvCase{{3, 16, 12, 12}, 16, {3, 2, 1}, 16},
                            ConvCase{{4, 10, 7, 5}, 10, {1, 2, 0}, 2}, ConvCase{{1, 4, 1, 1}, 3, {3, 1, 1}}})
    check_started(c);
}

TEST_CASE("a start keeps the digits of numbers far from 0") {
  const ConvCase c{{1, 1, 12, 12}, 1, {1, 1, 0}};
  const float scale[] = {10.0F};
  const float centre[] = {1e6F};
  const float shift[] = {0.0F};
  const float weight[] = {1.0F};
  Tensor<float> x(c.x);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = 1e6F + 0.0625F * static_cast<float>(i - 70);
  Tensor<float> y(c.y());
  conv2d(Cpu{}, std::as_const(x).view(), weight, y.view(), c.window, 1, ConvFinish<float>{},
         ConvStart<float>{scale, centre, shift});
  Index wrong = 0;
  for (Index i = 0; i < x.size(); ++i) wrong += !(y.data()[i] == std::max(0.0F, 0.625F * static_cast<float>(i - 70)));
  CHECK(wrong == 0);
}

TEST_CASE("a start lets NaN through, as ReLU does") {
  for (const Index kernel : {1, 3}) {
    const ConvCase c{{1, 1, 12, 12}, 1, {kernel, 1, kernel / 2}};
    const float one[] = {1.0F};
    const Tensor<float> weight({1, 1, kernel, kernel}, 1.0F);
    Tensor<float> x(c.x, 2.0F);
    x(0, 0, 5, 5) = NAN;
    Tensor<float> y(c.y());
    conv2d(Cpu{}, std::as_const(x).view(), weight.data(), y.view(), c.window, 1, ConvFinish<float>{},
           ConvStart<float>{one, one, one});
    CHECK(std::isnan(y(0, 0, 5, 5)));
    CHECK(y(0, 0, 0, 0) == (kernel == 1 ? 2.0F : 8.0F));
  }
}
