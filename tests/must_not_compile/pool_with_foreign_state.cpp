// SPDX-License-Identifier: Apache-2.0
// expected: recal: the first argument of Recalibrate must be a StylePool: width, State<A>

#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/identity.hpp>
#include <recal/recalibrate.hpp>

struct Mean {
  static constexpr recal::Index width = 1;
  template <class A>
  struct State {
    A sum;
#ifdef RECAL_PASSING
    A count;
#else
    int count;
#endif
  };
  template <class A>
  static State<A> start(A) {
    return {};
  }
  template <class A>
  static void add(State<A>& s, A x) {
    s.sum += x;
    s.count += 1;
  }
  template <class A>
  static void merge(State<A>& s, const State<A>& other) {
    s.sum += other.sum;
    s.count += other.count;
  }
  void finish(const State<double>& s, recal::Index, double* t) const { t[0] = s.sum / s.count; }
  recal::Pull pull(const double*, const double* dt, recal::Index count) const {
    return {.p = dt[0] / static_cast<double>(count)};
  }
};

recal::Recalibrate<Mean, recal::Identity, recal::Sigmoid> module(8, {}, {});
