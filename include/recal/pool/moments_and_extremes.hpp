// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/host_device.hpp>
#include <recal/core/pack.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/pool/plane_moments.hpp>

namespace recal {

/// The reducer of PlaneMoments for pools that look at the extremes; for the others MeanStd is enough.
struct MomentsAndExtremes {
  template <class A>
  struct State {
    MeanStd::State<A> moments;
    A smallest;
    A largest;
  };

  template <class A>
  RECAL_HOST_DEVICE static State<A> start(A typical) {
    return {MeanStd::start(typical), typical, typical};
  }

  template <class A>
  RECAL_HOST_DEVICE static void add(State<A>& s, A x) {
    MeanStd::add(s.moments, x);
    s.smallest = recal::min(s.smallest, x);
    s.largest = recal::max(s.largest, x);
  }

  template <class A>
  RECAL_HOST_DEVICE static void merge(State<A>& s, const State<A>& other) {
    MeanStd::merge(s.moments, other.moments);
    s.smallest = recal::min(s.smallest, other.smallest);
    s.largest = recal::max(s.largest, other.largest);
  }
};

namespace detail {

template <class A>
[[nodiscard]] RECAL_HOST_DEVICE BasicPlaneMoments<A> plane_moments(const MomentsAndExtremes::State<A>& s, Index count) {
  BasicPlaneMoments<A> m = plane_moments(s.moments, count);
  m.smallest = s.smallest;
  m.largest = s.largest;
  return m;
}

}  // namespace detail

}  // namespace recal
