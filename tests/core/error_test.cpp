// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <doctest/doctest.h>

#include <recal/core/error.hpp>
#include <recal/core/shape.hpp>

static_assert(std::is_base_of_v<std::runtime_error, recal::error>);

TEST_CASE("fail joins strings, numbers and whatever has to_string") {
  const std::string text = "a string";
  const std::string_view view = "a view";
  CHECK_THROWS_WITH_AS(recal::fail(text, ", ", view, ", ", 3, ", ", -7L, ", ", 1.5, ", ", recal::Shape{1, 2, 3, 4}),
                       "recal: a string, a view, 3, -7, 1.500000, (N=1, C=2, H=3, W=4)", recal::error);
}

TEST_CASE("check throws only if the condition does not hold") {
  CHECK_NOTHROW(recal::check(true, "not seen"));
  CHECK_THROWS_WITH_AS(recal::check(false, "expected ", 2, ", found ", 3), "recal: expected 2, found 3", recal::error);
}
