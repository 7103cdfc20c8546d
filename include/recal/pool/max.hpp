// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  static State<A> start(A typical) {
    return {typical};
  }

  template <class A>
  static void add(State<A>& s, A x) {
    s.top = recal::max(s.top, x);
  }

  template <class A>
  static void merge(State<A>& s, const State<A>& other) {
    s.top = recal::max(s.top, other.top);
  }

  void finish(const State<double>& s, Index, double* t) const { t[0] = s.top; }

  void finish_moments(const PlaneMoments& m, double* t) const { t[0] = m.largest; }

  [[nodiscard]] Pull pull(const double* t, const double* dt, Index) const { return {.pick = dt[0], .picked = t[0]}; }
};

}  // namespace recal
