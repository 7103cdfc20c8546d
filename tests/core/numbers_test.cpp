// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/core/numbers.hpp>

using recal::Buffer;
using recal::Index;
using recal::Pack;

TEST_CASE_TEMPLATE("numbers of one channel, or of neighbours in the lanes of a pack", T, float, double) {
  using P = Pack<double, 4>;
  Buffer<T> numbers{1, 2, 3, 4, 5, 6};
  CHECK(recal::detail::numbers_at<double>(numbers, 2) == 3);
  CHECK(recal::detail::numbers_at<P>(numbers, 1).v[3] == 5);
  recal::detail::add_at(numbers, 0, 0.5);
  recal::detail::add_at(numbers, 2, P(10));
  CHECK(numbers == Buffer<T>{T(1.5), 2, 13, 14, 15, 16});
  recal::detail::blend_at(numbers, 1, 0.25, 6.0);
  recal::detail::blend_at(numbers, 2, 1.0, P(7));
  CHECK(numbers == Buffer<T>{T(1.5), 3, 7, 7, 7, 7});
}

TEST_CASE("what a deviation is divided by") {
  CHECK(recal::detail::inverse_root(3.0, 1.0) == 0.5);
  CHECK(recal::detail::inverse_root(Pack<double, 4>(0.0), 0.25).v[2] == 2.0);
}
