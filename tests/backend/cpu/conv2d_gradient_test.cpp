// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/conv2d_gradient.hpp>

#include <doctest/doctest.h>

#include "tests/support/conv_check.hpp"

using namespace recal;
using recal::testing::ConvCase;
using recal::testing::ConvResult;
using recal::testing::random_tensor;
using recal::testing::relative_error;

TEST_CASE("convolution gradients equal the reference on small convolutions of all kinds") {
  for (std::uint64_t i = 0; i < 150; ++i) {
    const ConvCase c = recal::testing::random_conv(i);
    CAPTURE(to_string(c));
    CHECK(ConvResult<double>(Cpu{}, c).error_against(ConvResult<double>(Reference{}, c)) <= 1e-13);
    CHECK(ConvResult<float>(Cpu{}, c).error_against(ConvResult<float>(Reference{}, c)) <= 2e-5);
  }
}

TEST_CASE("convolution gradients equal the reference where tiles, splits and chunks end") {
  for (const ConvCase& c : {ConvCase{{3, 300, 2, 2}, 140, {1, 1, 0}}, ConvCase{{5, 40, 5, 5}, 260, {3, 1, 1}},
                            ConvCase{{3, 20, 9, 9}, 300, {3, 2, 1}}, ConvCase{{1, 2, 41, 37}, 3, {3, 2, 1}},
                            ConvCase{{2, 300, 7, 5}, 30, {1, 2, 0}}, ConvCase{{1, 3, 40, 70}, 70, {7, 2, 3}},
                            ConvCase{{2, 6, 9, 9}, 258, {3, 2, 1}, 2}, ConvCase{{3, 4, 6, 6}, 5, {3, 1, 3}}}) {
    CAPTURE(to_string(c));
    CHECK(ConvResult<float>(Cpu{}, c).error_against(ConvResult<float>(Reference{}, c)) <= 2e-5);
  }
}

TEST_CASE("convolution gradients equal the reference by Winograd's algorithm") {
  for (const ConvCase& c : recal::testing::winograd_cases()) {
    CAPTURE(to_string(c));
    REQUIRE(cpu::suits_winograd({3, 1, 2 - c.window.padding}, c.x, c.outputs / c.groups, c.x.c / c.groups));
    CHECK(ConvResult<double>(Cpu{}, c).error_against(ConvResult<double>(Reference{}, c)) <= 1e-13);
    CHECK(ConvResult<float>(Cpu{}, c).error_against(ConvResult<float>(Reference{}, c)) <= 2e-5);
  }
}

TEST_CASE("convolution gradients read and write strided views and nothing between their planes") {
  for (const ConvCase& c : {ConvCase{{3, 5, 6, 7}, 8, {3, 1, 1}}, ConvCase{{2, 4, 8, 8}, 4, {1, 1, 0}},
                            ConvCase{{2, 6, 9, 9}, 6, {3, 2, 1}, 6}, ConvCase{{2, 4, 9, 20}, 9, {3, 2, 1}},
                            ConvCase{{2, 4, 20, 20}, 9, {1, 1, 0}}}) {
    CAPTURE(to_string(c));
    const ConvResult<float> expected(Reference{}, c);
    recal::testing::StridedTensor<float> x(random_tensor<float>("x", c.x));
    recal::testing::StridedTensor<float> dy(random_tensor<float>("dy", c.y()));
    recal::testing::StridedTensor<float> dx(c.x);
    const auto weight = random_tensor<float>("weight", expected.dweight.shape());
    Tensor<float> dweight(weight.shape(), 1.0F);
    conv2d_backward_data(Cpu{}, TensorView<const float>(dy.view()), weight.data(), dx.view(), c.window, c.groups);
    conv2d_backward_weight(Cpu{}, TensorView<const float>(x.view()), TensorView<const float>(dy.view()), dweight.data(),
                           static_cast<float*>(nullptr), c.window, c.groups);
    CHECK(relative_error(dx.view(), expected.dx) <= 2e-5);
    CHECK(relative_error(dweight, expected.dweight) <= 2e-5);
    CHECK(dx.gaps_untouched());
  }
}

TEST_CASE("convolution gradients have the same bits for any number of threads") {
  const int before = thread_count();
  for (const ConvCase& c : {ConvCase{{4, 40, 9, 9}, 130, {3, 1, 1}}, ConvCase{{6, 300, 4, 4}, 256, {1, 1, 0}},
                            ConvCase{{5, 40, 9, 9}, 70, {3, 2, 1}}, ConvCase{{3, 16, 12, 12}, 16, {3, 1, 1}, 16}}) {
    set_thread_count(1);
    const ConvResult<float> expected(Cpu{}, c);
    for (const int threads : {2, 3, 5}) {
      set_thread_count(threads);
      CHECK(ConvResult<float>(Cpu{}, c).error_against(expected) == 0.0);
    }
  }
  set_thread_count(before);
}
