// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/host_device.hpp>
#include <recal/core/pack.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal {

/// What one pass over a plane x tells of every plane a x + b: its count, mean and sum (x - mean)^2, and for pools that
/// ask for them its smallest and largest element. With a pack as A: those of as many planes as it has lanes.
template <class A>
struct BasicPlaneMoments {
  Index count = 0;
  A mean = 0;
  A squares = 0;
  A smallest = 0;
  A largest = 0;

  /// The moments of a x + b.
  [[nodiscard]] RECAL_HOST_DEVICE BasicPlaneMoments affine(A a, A b) const {
    const A low = a * smallest + b;
    const A high = a * largest + b;
    return {count, a * mean + b, a * a * squares, min(low, high), max(low, high)};
  }
};

using PlaneMoments = BasicPlaneMoments<double>;

/// A style pool that can be told from a plane's moments, so that the style of what batch norm makes of x is known
/// before batch norm has run:
///   void finish_moments(const PlaneMoments&, double* t) const;     the t that finish() gives for that plane
///   static constexpr bool extremes = true;                         where it looks at smallest or largest
/// Written for BasicPlaneMoments<A> and A*, it does several planes at once, as finish() written for State<A> and A*.
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

/// Whether a moment pool's finish_moments is written for several planes at once, in the lanes of A.
template <class P, class A>
inline constexpr bool finishes_in_lanes = requires(const P pool, const BasicPlaneMoments<A>& moments, A* t) {
  pool.finish_moments(moments, t);
};

/// From what MeanStd has summed up of `count` elements; without extremes.
template <class State>
[[nodiscard]] RECAL_HOST_DEVICE auto plane_moments(const State& s, Index count) {
  using A = decltype(s.sum + s.sum);
  const A deviation = s.sum * A(1 / static_cast<double>(count));
  return BasicPlaneMoments<A>{
      .count = count, .mean = s.shift + deviation, .squares = max(A(0), s.squares - s.sum * deviation)};
}

}  // namespace detail

}  // namespace recal
