// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/core/shape.hpp>

using recal::Shape;

TEST_CASE("a shape knows its plane and its size, beyond 32 bits too") {
  constexpr Shape shape{.n = 2, .c = 3, .h = 5, .w = 7};
  static_assert(shape.plane() == 35 && shape.size() == 210);
  static_assert(Shape{}.size() == 0);
  static_assert(Shape{1024, 2048, 112, 112}.size() == 26306674688);
}

TEST_CASE("shapes are equal if all four sizes are") {
  const Shape shape{2, 3, 5, 7};
  CHECK(shape == Shape{2, 3, 5, 7});
  CHECK(shape != Shape{1, 3, 5, 7});
  CHECK(shape != Shape{2, 1, 5, 7});
  CHECK(shape != Shape{2, 3, 7, 5});
}

TEST_CASE("the text of a shape names all sizes") {
  CHECK(to_string(Shape{32, 256, 14, 15}) == "(N=32, C=256, H=14, W=15)");
}
