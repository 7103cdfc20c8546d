// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/window.hpp>

#include <doctest/doctest.h>

using namespace recal;

TEST_CASE("Window counts its positions") {
  static_assert(Window{3, 1, 1}.positions(7) == 7);
  static_assert(Window{7, 2, 3}.positions(224) == 112);
  static_assert(Window{3, 2, 1}.positions(112) == 56);
  static_assert(Window{1, 2, 0}.positions(7) == 4);
  static_assert(Window{3, 1, 0}.positions(2) == 0);
  static_assert(Window{3, 3, 0}.positions(3) == 1);
  CHECK(Window{5, 1, 2}.area() == 25);
}

TEST_CASE("TapReach holds the positions at which a tap lies inside") {
  for (const Window window : {Window{1, 1, 0}, Window{3, 1, 1}, Window{3, 2, 1}, Window{7, 2, 3}, Window{2, 3, 0}})
    for (Index size = 1; size < 12; ++size)
      for (Index tap = 0; tap < window.kernel; ++tap) {
        const Index positions = window.positions(size);
        const TapReach reach(window, tap, size, positions);
        for (Index o = 0; o < positions; ++o) {
          const Index pixel = o * window.stride + tap - window.padding;
          REQUIRE((pixel >= 0 && pixel < size) == (o >= reach.first && o < reach.last));
        }
        CHECK(reach.shift == tap - window.padding);
      }
}

TEST_CASE("slide and check_window name what does not fit") {
  CHECK(slide("a pooling", {3, 2, 1}, {2, 5, 9, 8}, 7) == Shape{2, 7, 5, 4});
  CHECK_THROWS_WITH_AS((void)slide("a pooling", {4, 1, 0}, {1, 2, 3, 8}, 2),
                       "recal: a pooling with kernel 4 and padding 0 does not fit its input (N=1, C=2, H=3, W=8)",
                       error);
  CHECK_THROWS_WITH_AS(check_window("a pooling", {0, 1, 0}),
                       "recal: a pooling has kernel 0, stride 1, padding 0; expected at least 1, 1, 0", error);
  CHECK_THROWS_AS(check_window("a pooling", {1, 0, 0}), error);
  CHECK_THROWS_AS(check_window("a pooling", {1, 1, -1}), error);
}
