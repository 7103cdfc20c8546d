// SPDX-License-Identifier: Apache-2.0
// expected: recal: the first argument of Recalibrate must be a StylePool: width, State<A>, start, add, merge

#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/identity.hpp>
#include <recal/recalibrate.hpp>

struct Sum {
  static constexpr recal::Index width = 1;
  template <class A>
  struct State {
    A sum;
  };
  template <class A>
  static State<A> start(A) {
    return {A(0)};
  }
  template <class A>
  static void add(State<A>& s, A x) {
    s.sum += x;
  }
#ifdef RECAL_PASSING
  template <class A>
  static void merge(State<A>& s, const State<A>& other) {
    s.sum += other.sum;
  }
#endif
  void finish(const State<double>& s, recal::Index, double* t) const { t[0] = s.sum; }
  recal::Pull pull(const double*, const double* dt, recal::Index) const { return {.p = dt[0]}; }
};

recal::Recalibrate<Sum, recal::Identity, recal::Sigmoid> module(8, {}, {});
