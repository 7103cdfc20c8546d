// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <recal/integrate/narrowed.hpp>

#include "tests/support/integrate_check.hpp"

using recal::Buffer;
using recal::Index;
using namespace recal::testing;
using recal::detail::Narrowed;
using recal::detail::Rows;

TEST_CASE("rows are copied without their gaps in float, and left where they are in double") {
  const auto x = noise("x", 3 * 10);
  Narrowed<float> narrow(3, 7, {x.data(), 10});
  Narrowed<double> same(3, 7, {x.data(), 10});
  CHECK(narrow.rows().stride == 7);
  CHECK(same.rows()[2] == x.data() + 20);
  for (Index row = 0; row < 3; ++row)
    for (Index column = 0; column < 7; ++column)
      CHECK(narrow.rows()[row][column] == static_cast<float>(recal::at(x, row * 10 + column)));
}

TEST_CASE("one infinity or NaN anywhere is found, and none where there is none") {
  for (const Index count : {0, 1, 7, 8, 9, 33}) {
    const auto x = noise("x", count);
    CHECK(recal::detail::all_finite(x));
    for (Index i = 0; i < count; ++i)
      for (const double bad : {HUGE_VAL, -HUGE_VAL, static_cast<double>(NAN)}) {
        auto y = x;
        recal::at(y, i) = bad;
        CHECK_FALSE(recal::detail::all_finite(y));
      }
  }
  CHECK(recal::detail::all_finite(Buffer<double>(20, std::numeric_limits<double>::max())));
}

TEST_CASE("the largest absolute value, wherever it stands") {
  CHECK(recal::detail::largest({}) == 0);
  for (const Index count : {1, 8, 19})
    for (Index i = 0; i < count; ++i)
      for (const double most : {5.0, -5.0}) {
        auto x = noise("x", count);
        recal::at(x, i) = most;
        CHECK(recal::detail::largest(x) == 5);
      }
}

TEST_CASE("products fit where neither they nor their sums come near float's largest number") {
  const auto fit = [](Index count, double x, double y) {
    return recal::detail::products_fit<float>(count, Buffer<double>{0, x}, Buffer<double>{y, 1e-3});
  };
  CHECK(fit(8, 1e18, -1e18));
  CHECK_FALSE(fit(800, 1e18, -1e18));
  CHECK_FALSE(fit(1, 1e20, 1e20));
  CHECK_FALSE(fit(1, 1e-10, 1e39));
  CHECK_FALSE(fit(1, -1e39, 1e-10));
}
