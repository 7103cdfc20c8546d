// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/core/host_device.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal {

/// What one pass over a plane x tells of every plane a x + b: its count, mean and sum (x - mean)^2, and for pools that
/// ask for them its smallest and largest element.
struct PlaneMoments {
  Index count = 0;
  double mean = 0;
  double squares = 0;
  double smallest = 0;
  double largest = 0;

  /// The moments of a x + b.
  [[nodiscard]] RECAL_HOST_DEVICE PlaneMoments affine(double a, double b) const {
    const double low = a * smallest + b;
    const double high = a * largest + b;
    return {count, a * mean + b, a * a * squares, std::min(low, high), std::max(low, high)};
  }
};

/// A style pool that can be told from a plane's moments, so that the style of what batch norm makes of x is known
/// before batch norm has run:
///   void finish_moments(const PlaneMoments&, double* t) const;     the t that finish() gives for that plane
///   static constexpr bool extremes = true;                         where it looks at smallest or largest
template <class P>
concept MomentPool = StylePool<P> && requires(const P pool, const PlaneMoments& moments, double* t) {
  pool.finish_moments(moments, t);
};

/// Whether a moment pool looks at the extremes.
template <class P>
inline constexpr bool wants_extremes = [] {
  if constexpr (requires { P::extremes; })
    return P::extremes;
  else
    return false;
}();

namespace detail {

/// From what MeanStd has summed up of `count` elements; without extremes.
template <class State>
[[nodiscard]] RECAL_HOST_DEVICE PlaneMoments plane_moments(const State& s, Index count) {
  const double deviation = s.sum / static_cast<double>(count);
  return {.count = count, .mean = s.shift + deviation, .squares = std::max(0.0, s.squares - s.sum * deviation)};
}

}  // namespace detail

}  // namespace recal
