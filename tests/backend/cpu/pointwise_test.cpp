// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/pointwise.hpp>

#include <doctest/doctest.h>

#include "tests/support/conv_check.hpp"

using namespace recal;
using recal::testing::ConvCase;
using recal::testing::ConvResult;
using recal::testing::random_tensor;

TEST_CASE("wants_layout: strided 1x1 windows and tiny planes") {
  CHECK(cpu::wants_layout({1, 2, 0}, {4, 8, 28, 28}));
  CHECK(cpu::wants_layout({1, 1, 0}, {4, 8, 2, 2}));
  CHECK_FALSE(cpu::wants_layout({1, 1, 0}, {1, 8, 2, 2}));
  CHECK_FALSE(cpu::wants_layout({1, 1, 0}, {4, 8, 4, 4}));
  CHECK_FALSE(cpu::wants_layout({3, 2, 1}, {4, 8, 2, 2}));
  CHECK_FALSE(cpu::wants_layout({1, 2, 1}, {4, 8, 28, 28}));
}

TEST_CASE("subsample and spread are each other's transpose, in both layouts") {
  for (const Shape& small : {Shape{3, 4, 2, 3}, Shape{2, 3, 4, 5}}) {
    const auto x = random_tensor<float>("x", {small.n, small.c, 2 * small.h - 1, 2 * small.w});
    Buffer<float> memory;
    const TensorView<float> seen = cpu::laid_out(small, memory);
    cpu::subsample(x.view(), 2, seen);
    Tensor<float> back(x.shape(), 9.0F);
    cpu::spread<float>(seen, 2, back.view());
    const TensorView<float> rows = cpu::as_rows(seen);
    CHECK(rows.shape.plane() * rows.shape.n == small.n * small.plane());
    Index wrong = 0;
    for (Index n = 0; n < small.n; ++n)
      for (Index c = 0; c < small.c; ++c)
        for (Index k = 0; k < x.shape().plane(); ++k) {
          const Index h = k / x.shape().w;
          const Index w = k % x.shape().w;
          const bool kept = h % 2 == 0 && w % 2 == 0;
          wrong += back(n, c, h, w) != (kept ? x(n, c, h, w) : 0.0F);
          if (kept) wrong += seen(n, c, h / 2, w / 2) != x(n, c, h, w);
        }
    CHECK(wrong == 0);
    if (small.plane() < cpu::tiny_plane) {
      CHECK(rows.shape == Shape{1, 4, 1, 18});
      CHECK(rows(0, 2, 0, 1 * 6 + 5) == x(1, 2, 2, 4));
    } else {
      CHECK(rows.shape == Shape{2, 3, 1, 20});
    }
  }
}

TEST_CASE("1x1 convolutions with strided or tiny planes equal the reference") {
  for (const ConvCase& c : {ConvCase{{5, 20, 2, 2}, 30, {1, 1, 0}}, ConvCase{{4, 10, 7, 5}, 9, {1, 2, 0}},
                            ConvCase{{3, 8, 9, 13}, 12, {1, 2, 0}, 2}, ConvCase{{4, 1, 3, 3}, 1, {1, 1, 0}},
                            ConvCase{{7, 6, 1, 1}, 4, {1, 1, 0}, 2}, ConvCase{{2, 5, 10, 10}, 3, {1, 3, 0}}}) {
    CAPTURE(to_string(c));
    CHECK(ConvResult<double>(Cpu{}, c).error_against(ConvResult<double>(Reference{}, c)) <= 1e-13);
    CHECK(ConvResult<float>(Cpu{}, c).error_against(ConvResult<float>(Reference{}, c)) <= 2e-5);
  }
}
