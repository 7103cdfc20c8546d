// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/patch_grid.hpp>

#include <doctest/doctest.h>

using recal::Shape;
using recal::Window;
using recal::cpu::PatchGrid;

TEST_CASE("a plane that is seen pixel by pixel is one long row") {
  const PatchGrid grid(Shape{2, 3, 4, 5}, Shape{2, 7, 4, 5}, Window{});
  CHECK(grid.pixelwise());
  CHECK(grid.out_h == 1);
  CHECK(grid.out_w == 20);
  CHECK(grid.positions() == 20);
}

TEST_CASE("a window, a stride or padding keeps the rows") {
  for (const Window& window : {Window{3, 1, 1}, Window{1, 2, 0}, Window{1, 1, 1}}) {
    const Shape out{2, 7, window.positions(4), window.positions(5)};
    const PatchGrid grid(Shape{2, 3, 4, 5}, out, window);
    CHECK_FALSE(grid.pixelwise());
    CHECK(grid.out_h == out.h);
    CHECK(grid.area() == window.area());
  }
}
