// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/lanes_sink.hpp>
#include <recal/core/shape.hpp>
#include <recal/pool/moments_and_extremes.hpp>
#include <recal/pool/plane_moments.hpp>

namespace recal::detail {

/// A sink of reduce_planes: f(i, planes, moments) as LanesSink has it, from the states of MeanStd or MomentsAndExtremes
/// of planes of `count` elements.
template <class F>
[[nodiscard]] auto moments_sink(Index count, const F& f) {
  return LanesSink{
      [count, &f](Index i, Index planes, const auto& states) { f(i, planes, plane_moments(states, count)); }};
}

}  // namespace recal::detail
