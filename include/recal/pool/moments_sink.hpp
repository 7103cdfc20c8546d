// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/shape.hpp>
#include <recal/pool/moments_and_extremes.hpp>
#include <recal/pool/plane_moments.hpp>

namespace recal::detail {

/// A sink of reduce_planes: f(i, PlaneMoments of plane i), from the states of MeanStd or MomentsAndExtremes of planes
/// of `count` elements.
template <class F>
struct MomentsSink {
  Index count;
  F f;

  template <class State>
  void operator()(Index i, const State& state) const {
    f(i, plane_moments(state, count));
  }

  /// Of as many planes as Lanes has lanes, of which the first `planes` are meant.
  template <class Lanes, class State>
  void several(Index first, Index planes, const State& states) const {
    const BasicPlaneMoments<Lanes> all = plane_moments(states, count);
    for (Index i = 0; i < planes; ++i)
      f(first + i, PlaneMoments{count, all.mean.v[i], all.squares.v[i], all.smallest.v[i], all.largest.v[i]});
  }
};
template <class F>
MomentsSink(Index, F) -> MomentsSink<F>;

}  // namespace recal::detail
