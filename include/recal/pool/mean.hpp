// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/host_device.hpp>
#include <recal/pool/plane_moments.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal {

/// The mean of each plane: the squeeze of SE, the global gather of GE.
///   t[0] = sum_k x_k / K;   dt/dx_k = 1/K
/// source: Hu, Shen, Sun, "Squeeze-and-Excitation Networks", CVPR 2018, section 3.1
struct Mean {
  static constexpr Index width = 1;

  template <class A>
  struct State {
    A shift;
    A sum;
  };

  template <class A>
  RECAL_HOST_DEVICE static State<A> start(A typical) {
    return {typical, A(0)};
  }

  template <class A>
  RECAL_HOST_DEVICE static void add(State<A>& s, A x) {
    s.sum += x - s.shift;
  }

  template <class A>
  RECAL_HOST_DEVICE static void merge(State<A>& s, const State<A>& other) {
    s.sum += other.sum;
  }

  template <class A>
  RECAL_HOST_DEVICE void finish(const State<A>& s, Index count, A* t) const {
    t[0] = s.shift + s.sum * A(1 / static_cast<double>(count));
  }

  template <class A>
  RECAL_HOST_DEVICE void finish_moments(const BasicPlaneMoments<A>& m, A* t) const {
    t[0] = m.mean;
  }

  template <class A>
  [[nodiscard]] RECAL_HOST_DEVICE BasicPull<A> pull(const A*, const A* dt, Index count) const {
    return {.p = dt[0] / A(static_cast<double>(count))};
  }
};

}  // namespace recal
