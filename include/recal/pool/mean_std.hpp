// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/core/host_device.hpp>
#include <recal/pool/plane_moments.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal {

/// Mean and standard deviation of each plane: the style of SRM.
///   t[0] = mu,   t[1] = sigma = sqrt(v + eps),   v = sum (x - mu)^2 / (K - 1), and 0 for one-pixel planes
///   dt[0]/dx_k = 1/K,   dt[1]/dx_k = (x_k - mu) / ((K - 1) sigma)
/// Deviations are taken from one of the plane's own elements, so neither a large offset nor a constant
/// plane loses digits.
/// source: Lee, Kim, Nam, "SRM: A Style-based Recalibration Module", ICCV 2019, section 3.1
struct MeanStd {
  static constexpr Index width = 2;

  double eps = 1e-5;

  template <class A>
  struct State {
    A shift;
    A sum;
    A squares;
  };

  template <class A>
  RECAL_HOST_DEVICE static State<A> start(A typical) {
    return {typical, A(0), A(0)};
  }

  template <class A>
  RECAL_HOST_DEVICE static void add(State<A>& s, A x) {
    const A deviation = x - s.shift;
    s.sum += deviation;
    s.squares += deviation * deviation;
  }

  template <class A>
  RECAL_HOST_DEVICE static void merge(State<A>& s, const State<A>& other) {
    s.sum += other.sum;
    s.squares += other.squares;
  }

  template <class A>
  RECAL_HOST_DEVICE void finish(const State<A>& s, Index count, A* t) const {
    finish_moments(detail::plane_moments(s, count), t);
  }

  template <class A>
  RECAL_HOST_DEVICE void finish_moments(const BasicPlaneMoments<A>& m, A* t) const {
    using std::sqrt;
    const A variance = m.count > 1 ? m.squares * A(1 / static_cast<double>(m.count - 1)) : A(0);
    t[0] = m.mean;
    t[1] = sqrt(variance + A(eps));
  }

  template <class A>
  [[nodiscard]] RECAL_HOST_DEVICE BasicPull<A> pull(const A* t, const A* dt, Index count) const {
    const A each(1 / static_cast<double>(count));
    const A slope = count > 1 ? dt[1] / (A(static_cast<double>(count - 1)) * t[1]) : A(0);
    return {.p = dt[0] * each, .q = slope, .centre = t[0]};
  }
};

}  // namespace recal
