// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/core/host_device.hpp>
#include <recal/pool/plane_moments.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal {

/// The Euclidean norm of each plane: the style of GCT (with eps) and GRN (eps = 0).
///   t[0] = sqrt(sum_k x_k^2 + eps);   dt/dx_k = x_k / t[0], and 0 where t[0] is 0
/// A sum, not a mean: it grows with K.
/// source: Yang et al., "Gated Channel Transformation", CVPR 2020, section 3.1
struct L2 {
  static constexpr Index width = 1;

  double eps = 0;

  template <class A>
  struct State {
    A squares;
  };

  template <class A>
  RECAL_HOST_DEVICE static State<A> start(A) {
    return {A(0)};
  }

  template <class A>
  RECAL_HOST_DEVICE static void add(State<A>& s, A x) {
    s.squares += x * x;
  }

  template <class A>
  RECAL_HOST_DEVICE static void merge(State<A>& s, const State<A>& other) {
    s.squares += other.squares;
  }

  template <class A>
  RECAL_HOST_DEVICE void finish(const State<A>& s, Index, A* t) const {
    using std::sqrt;
    t[0] = sqrt(s.squares + A(eps));
  }

  template <class A>
  RECAL_HOST_DEVICE void finish_moments(const BasicPlaneMoments<A>& m, A* t) const {
    using std::sqrt;
    t[0] = sqrt(m.squares + A(static_cast<double>(m.count)) * m.mean * m.mean + A(eps));
  }

  template <class A>
  [[nodiscard]] RECAL_HOST_DEVICE BasicPull<A> pull(const A* t, const A* dt, Index) const {
    return {.q = where_positive(t[0], dt[0] / t[0])};
  }
};

}  // namespace recal
