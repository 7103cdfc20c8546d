// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/window_maxima.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include "tests/support/random_tensor.hpp"

using namespace recal;
using recal::testing::random_index;

namespace {

/// Few different numbers, so that many are equal, some NaN and infinities.
template <class T>
Buffer<T> awkward_plane(Index size, std::uint64_t seed) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const T values[] = {-infinity, -infinity, T{-2}, T{0}, T{1}, T{1}, infinity, static_cast<T>(NAN)};
  Buffer<T> plane;
  for (Index i = 0; i < size; ++i)
    plane.push_back(values[random_index("value", seed * 10000 + static_cast<std::uint64_t>(i), 0, 7)]);
  return plane;
}

/// Where the maximum of a window lies: the first of equals, NaN before all.
template <class T>
Index first_maximum(const Buffer<T>& plane, Index h, Index w, const Window& window, Index oy, Index ox) {
  Index best = -1;
  for (Index y = oy * window.stride - window.padding; y < oy * window.stride - window.padding + window.kernel; ++y)
    for (Index x = ox * window.stride - window.padding; x < ox * window.stride - window.padding + window.kernel; ++x) {
      if (y < 0 || y >= h || x < 0 || x >= w) continue;
      const T value = at(plane, y * w + x);
      if (best < 0 || value > at(plane, best) || (std::isnan(value) && !std::isnan(at(plane, best)))) best = y * w + x;
    }
  return best;
}

template <class T, bool Located>
void check_windows(Index h, Index w, const Window& window, std::uint64_t seed) {
  const Buffer<T> plane = awkward_plane<T>(h * w, seed);
  const Index count = window.positions(w);
  cpu::WindowMaxima<T, Located> maxima;
  maxima.prepare(w, window);
  for (Index oy = 0; oy < window.positions(h); ++oy) {
    Buffer<T> best(static_cast<std::size_t>(count));
    Buffer<std::int32_t> where(static_cast<std::size_t>(count), -7);
    const Index top = oy * window.stride - window.padding;
    maxima.look_at(plane.data(), std::max<Index>(0, top), std::min(h, top + window.kernel));
    maxima.find(count, best.data(), Located ? where.data() : nullptr);
    for (Index ox = 0; ox < count; ++ox) {
      const Index expected = first_maximum(plane, h, w, window, oy, ox);
      CHECK(at(where, ox) == (Located ? expected : -7));
      const T value = at(plane, expected);
      CHECK((std::isnan(value) ? std::isnan(at(best, ox)) : at(best, ox) == value));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("maxima of windows are the first of equals, NaN before all numbers", T, float, double) {
  std::uint64_t seed = 0;
  for (const Window& window : {Window{3, 2, 1}, Window{2, 2, 0}, Window{3, 1, 1}, Window{5, 3, 2}, Window{1, 1, 0}})
    for (const Index width : {5, 9, 40}) {
      CAPTURE(window.kernel);
      CAPTURE(width);
      check_windows<T, true>(7, width, window, ++seed);
      check_windows<T, false>(7, width, window, seed);
    }
}
