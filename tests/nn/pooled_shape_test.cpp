// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/nn/pooled_shape.hpp>

using namespace recal;

TEST_CASE("what is left of a map by a pooling") {
  CHECK(nn::detail::pooled_shape({.kernel = 3, .stride = 2, .padding = 1}, {2, 5, 8, 7}) == Shape{2, 5, 4, 4});
  CHECK(nn::detail::pooled_shape({.kernel = 2, .stride = 2}, {1, 1, 5, 2}) == Shape{1, 1, 2, 1});
}

TEST_CASE("windows that would be empty, or do not fit, are refused") {
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::detail::pooled_shape({.kernel = 3, .padding = 2}, {1, 1, 8, 8})),
                       doctest::Contains("kernel 3 has padding 2"), error);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::detail::pooled_shape({.kernel = 5}, {1, 1, 4, 4})),
                       doctest::Contains("does not fit"), error);
}
