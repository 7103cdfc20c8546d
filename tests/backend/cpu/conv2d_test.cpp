// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/conv2d.hpp>

#include <doctest/doctest.h>

#include "tests/support/conv_check.hpp"

using namespace recal;
using recal::testing::ConvCase;
using recal::testing::random_tensor;
using recal::testing::relative_error;

namespace {

template <class T, class B>
Tensor<T> convolve(const B& backend, const ConvCase& c) {
  const auto x = random_tensor<T>("x", c.x);
  const auto weight = random_tensor<T>("weight", {1, 1, 1, c.weights()});
  Tensor<T> y(c.y(), static_cast<T>(NAN));
  conv2d(backend, x.view(), weight.data(), y.view(), c.window, c.groups);
  return y;
}

}  // namespace

TEST_CASE("conv2d equals the reference on small convolutions of all kinds") {
  for (std::uint64_t i = 0; i < 150; ++i) {
    const ConvCase c = recal::testing::random_conv(i);
    CAPTURE(to_string(c));
    CHECK(relative_error(convolve<double>(Cpu{}, c), convolve<double>(Reference{}, c)) <= 1e-13);
    CHECK(relative_error(convolve<float>(Cpu{}, c), convolve<float>(Reference{}, c)) <= 2e-6);
  }
}

TEST_CASE("conv2d equals the reference where tiles, splits and chunks of the depth end") {
  for (const ConvCase& c : {ConvCase{{3, 300, 2, 2}, 140, {1, 1, 0}}, ConvCase{{5, 40, 5, 5}, 260, {3, 1, 1}},
                            ConvCase{{1, 2, 41, 37}, 3, {3, 2, 1}}, ConvCase{{17, 33, 3, 1}, 7, {3, 1, 1}},
                            ConvCase{{2, 6, 9, 9}, 258, {3, 1, 1}, 2}, ConvCase{{1, 3, 40, 70}, 70, {7, 2, 3}}}) {
    CAPTURE(to_string(c));
    CHECK(relative_error(convolve<float>(Cpu{}, c), convolve<float>(Reference{}, c)) <= 2e-6);
  }
}

TEST_CASE("conv2d equals the reference by Winograd's algorithm") {
  std::size_t large = 0;
  for (const ConvCase& c : recal::testing::winograd_cases()) {
    CAPTURE(to_string(c));
    const Index inputs = c.x.c / c.groups;
    const Index outputs = c.outputs / c.groups;
    REQUIRE(cpu::suits_winograd(c.window, c.y(), inputs, outputs));
    large += cpu::suits_large_tiles(c.y(), inputs, outputs, cpu::WeightUse::one_call) ? 1 : 0;
    CHECK(relative_error(convolve<double>(Cpu{}, c), convolve<double>(Reference{}, c)) <= 1e-13);
    CHECK(relative_error(convolve<float>(Cpu{}, c), convolve<float>(Reference{}, c)) <= 2e-6);
  }
  CHECK(large > 0);
  CHECK(large < recal::testing::winograd_cases().size());
}

TEST_CASE("conv2d reads and writes strided views and nothing between their planes") {
  for (const ConvCase& c : {ConvCase{{3, 5, 6, 7}, 8, {3, 1, 1}}, ConvCase{{2, 4, 8, 8}, 4, {1, 1, 0}},
                            ConvCase{{2, 6, 9, 9}, 6, {3, 2, 1}, 6}, ConvCase{{2, 4, 20, 20}, 9, {1, 1, 0}},
                            ConvCase{{2, 40, 9, 8}, 30, {3, 1, 1}}}) {
    CAPTURE(to_string(c));
    recal::testing::StridedTensor<float> x(random_tensor<float>("x", c.x));
    recal::testing::StridedTensor<float> y(c.y());
    const auto weight = random_tensor<float>("weight", {1, 1, 1, c.weights()});
    conv2d(Cpu{}, TensorView<const float>(x.view()), weight.data(), y.view(), c.window, c.groups);
    CHECK(relative_error(y.view(), convolve<float>(Reference{}, c)) <= 2e-6);
    CHECK(y.gaps_untouched());
  }
}

TEST_CASE("conv2d gives the same bits for any number of threads") {
  const int before = thread_count();
  for (const ConvCase& c : {ConvCase{{4, 40, 9, 9}, 130, {3, 1, 1}}, ConvCase{{6, 300, 4, 4}, 256, {1, 1, 0}},
                            ConvCase{{3, 16, 12, 12}, 16, {3, 1, 1}, 16}}) {
    set_thread_count(1);
    const auto expected = convolve<float>(Cpu{}, c);
    for (const int threads : {2, 3, 5}) {
      set_thread_count(threads);
      CHECK(relative_error(convolve<float>(Cpu{}, c), expected) == 0.0);
    }
  }
  set_thread_count(before);
}
