// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/shape.hpp>

namespace recal::detail {

/// A sink of reduce_planes: f(i, 1, state of plane i), or f(i, planes, states) with those of the planes [i, i + planes)
/// in the first lanes of a pack; the other lanes say nothing.
template <class F>
struct LanesSink {
  F f;

  template <class State>
  void operator()(Index i, const State& state) const {
    f(i, Index{1}, state);
  }

  template <class Lanes, class States>
  void several(Index first, Index planes, const States& states) const {
    f(first, planes, states);
  }
};
template <class F>
LanesSink(F) -> LanesSink<F>;

}  // namespace recal::detail
