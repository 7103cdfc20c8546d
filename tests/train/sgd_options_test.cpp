// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/core/error.hpp>
#include <recal/train/sgd_options.hpp>

using namespace recal;

TEST_CASE("which options SGD takes") {
  CHECK_NOTHROW(train::detail::check_options({}));
  CHECK_NOTHROW(train::detail::check_options({.momentum = 0.9, .weight_decay = 0, .nesterov = true}));
  CHECK_THROWS_WITH_AS(train::detail::check_options({.momentum = -0.1}), doctest::Contains("below 0"), error);
  CHECK_THROWS_WITH_AS(train::detail::check_options({.weight_decay = -1}), doctest::Contains("below 0"), error);
  CHECK_THROWS_WITH_AS(train::detail::check_options({.momentum = 0, .nesterov = true}),
                       doctest::Contains("needs a momentum"), error);
}
