// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/pool2d_kernels.hpp>

#include <doctest/doctest.h>

using namespace recal;
using cuda::detail::divisor;
using cuda::detail::pixels_of;
using cuda::detail::Run;
using cuda::detail::windows_of;

namespace {

bool within(Index i, const Run& run) { return run.begin <= i && i < run.end; }

}  // namespace

TEST_CASE("a window sees a pixel exactly where the pixel is seen by the window") {
  for (const Index kernel : {1, 2, 3, 5, 7})
    for (const Index stride : {1, 2, 3, 6})
      for (Index padding = 0; padding < kernel; ++padding)
        for (const Index size : {1, 2, 7, 12}) {
          const Window window{kernel, stride, padding};
          Index wrong = 0;
          for (Index p = 0; p < window.positions(size); ++p)
            for (Index i = 0; i < size; ++i) {
              const Index offset = i + padding - p * stride;
              const bool seen = 0 <= offset && offset < kernel;
              wrong += within(i, pixels_of(p, window, size)) != seen ||
                       within(p, windows_of(i, window, window.positions(size))) != seen;
            }
          CHECK(wrong == 0);
        }
}

TEST_CASE("a mean is over the pixels that there are, or over all of the window") {
  const Window window{3, 2, 1};
  const Run corner = pixels_of(0, window, 7);
  const Run inside = pixels_of(1, window, 7);
  CHECK(divisor<float>(window, false, corner, inside) == 6.0F);
  CHECK(divisor<float>(window, true, corner, inside) == 9.0F);
}
