// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <doctest/doctest.h>

#include <recal/pool/max.hpp>

#include "tests/support/pool_check.hpp"

using recal::Buffer;
using recal::Index;
using recal::Max;
using namespace recal::testing;

TEST_CASE_TEMPLATE("the largest element is found wherever it lies", T, float, double, recal::half, recal::bfloat16) {
  int wrong = 0;
  for (std::size_t count = 1; count <= 70; ++count)
    for (std::size_t where = 0; where < count; ++where) {
      Buffer<T> plane(count, T(-3.0F));
      plane[where] = T(-2.0F);
      wrong += style_of(Max{}, plane)[0] != -2;
    }
  CHECK(wrong == 0);
}

TEST_CASE("the gradient goes to the largest element") {
  for (const Index count : {1, 2, 49}) CHECK(pool_gradient_error(Max{}, count) < 1e-9);
}

TEST_CASE("of several equal elements the first has the gradient") {
  CHECK(pulled(Max{}, Buffer<double>{1, 4, 2, 4, 4}, {0.5}) == Buffer<double>{0, 0.5, 0, 0, 0});
  CHECK(pulled(Max{}, Buffer<double>(4, 0.0), {0.5}) == Buffer<double>{0.5, 0, 0, 0});
}

TEST_CASE("infinities and the largest floats are elements like others") {
  constexpr float top = std::numeric_limits<float>::max();
  CHECK(style_of(Max{}, Buffer<float>{-top, top, 0})[0] == static_cast<double>(top));
  CHECK(style_of(Max{}, Buffer<float>(100, -top))[0] == static_cast<double>(-top));
  Buffer<float> plane(100, 1.0F);
  plane[7] = std::numeric_limits<float>::infinity();
  CHECK(style_of(Max{}, plane)[0] == std::numeric_limits<double>::infinity());
}
