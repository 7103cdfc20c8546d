// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/host_device.hpp>
#include <recal/core/shape.hpp>

namespace recal {

/// The two sums that every backward pass needs of a plane, as a reducer over (x, dy):
///   S0 = sum_k dy_k,   S1 = sum_k dy_k x_k
/// S1 is summed about one of the plane's own elements and put together in double.
struct Dots {
  template <class A>
  struct State {
    A shift;
    A dy;
    A dy_deviation;

    [[nodiscard]] RECAL_HOST_DEVICE A s0() const { return dy; }
    [[nodiscard]] RECAL_HOST_DEVICE A s1() const { return dy_deviation + shift * dy; }
    /// sum_k dy_k (x_k - centre), without the detour over S1.
    [[nodiscard]] RECAL_HOST_DEVICE A s1_about(A centre) const { return dy_deviation + (shift - centre) * dy; }
  };

  template <class A>
  RECAL_HOST_DEVICE static State<A> start(A typical, A) {
    return {typical, A(0), A(0)};
  }

  template <class A>
  RECAL_HOST_DEVICE static void add(State<A>& s, A x, A dy) {
    s.dy += dy;
    s.dy_deviation += dy * (x - s.shift);
  }

  template <class A>
  RECAL_HOST_DEVICE static void merge(State<A>& s, const State<A>& other) {
    s.dy += other.dy;
    s.dy_deviation += other.dy_deviation;
  }
};

}  // namespace recal
