// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/fused/tail_module.hpp>
#include <recal/gct.hpp>
#include <recal/ge.hpp>
#include <recal/nn/no_module.hpp>
#include <recal/srm.hpp>

namespace {

/// A pool that says nothing of moments: the plane's first element, so to say.
struct Opaque {
  static constexpr recal::Index width = 1;
  template <class A>
  struct State {
    A first;
  };
  template <class A>
  static State<A> start(A typical) {
    return {typical};
  }
  template <class A>
  static void add(State<A>&, A) {}
  template <class A>
  static void merge(State<A>&, const State<A>&) {}
  void finish(const State<double>& s, recal::Index, double* t) const { t[0] = s.first; }
  [[nodiscard]] recal::Pull pull(const double*, const double*, recal::Index) const { return {}; }
};

TEST_CASE("modules whose pool is made of moments fit the fused tail") {
  static_assert(recal::TailModule<recal::Srm<float>>);
  static_assert(recal::TailModule<recal::Gct<double>>);
  static_assert(recal::TailModule<recal::GeThetaMinus<float>>);
  static_assert(!recal::TailModule<recal::GeTheta<float>>);
  static_assert(!recal::TailModule<recal::nn::NoModule>);
  static_assert(!recal::TailModule<recal::Recalibrate<Opaque, recal::Identity, recal::Sigmoid>>);
  CHECK(recal::can_fuse_tail(recal::Srm<float>(4)));
  CHECK(recal::can_fuse_tail(recal::GeThetaMinus<float>(4, 0)));
  CHECK_FALSE(recal::can_fuse_tail(recal::GeThetaMinus<float>(4, 2)));
}

}  // namespace
