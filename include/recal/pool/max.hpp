// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/host_device.hpp>
#include <recal/core/pack.hpp>
#include <recal/pool/plane_moments.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal {

/// The largest element of each plane.
///   t[0] = max_k x_k;   the gradient goes to the first element that equals it (ties are not shared)
struct Max {
  static constexpr Index width = 1;
  static constexpr bool extremes = true;

  template <class A>
  struct State {
    A top;
  };

  template <class A>
  RECAL_HOST_DEVICE static State<A> start(A typical) {
    return {typical};
  }

  template <class A>
  RECAL_HOST_DEVICE static void add(State<A>& s, A x) {
    s.top = recal::max(s.top, x);
  }

  template <class A>
  RECAL_HOST_DEVICE static void merge(State<A>& s, const State<A>& other) {
    s.top = recal::max(s.top, other.top);
  }

  template <class A>
  RECAL_HOST_DEVICE void finish(const State<A>& s, Index, A* t) const {
    t[0] = s.top;
  }

  template <class A>
  RECAL_HOST_DEVICE void finish_moments(const BasicPlaneMoments<A>& m, A* t) const {
    t[0] = m.largest;
  }

  template <class A>
  [[nodiscard]] RECAL_HOST_DEVICE BasicPull<A> pull(const A* t, const A* dt, Index) const {
    return {.pick = dt[0], .picked = t[0]};
  }
};

}  // namespace recal
