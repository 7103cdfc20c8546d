// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/pool/l2.hpp>
#include <recal/pool/max.hpp>
#include <recal/pool/mean.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/pool/style_pool.hpp>

#include "tests/support/archetypes.hpp"

using recal::Index;
using recal::StylePool;

static_assert(StylePool<recal::Mean> && StylePool<recal::MeanStd> && StylePool<recal::L2> && StylePool<recal::Max>);
static_assert(StylePool<recal::testing::LeastPool>);
static_assert(!StylePool<int>);

namespace {

/// A pool whose State has something beside the members of type A.
template <template <class> class Beside>
struct PoolWith {
  static constexpr Index width = 1;
  template <class A>
  using State = Beside<A>;
  template <class A>
  static State<A> start(A first) {
    State<A> s{};
    s.sum = first;
    return s;
  }
  template <class A>
  static void add(State<A>&, A) {}
  template <class A>
  static void merge(State<A>&, const State<A>&) {}
  void finish(const State<double>&, Index, double*) const {}
  recal::Pull pull(const double*, const double*, Index) const { return {}; }
};

template <class A>
struct Alone {
  A sum;
};
template <class A>
struct Several {
  A sum;
  A more[2];
  A most = A(0);
};
template <class A>
struct WithInt {
  A sum;
  int count;
};
template <class A>
struct WithDouble {
  A sum;
  double total;
};
template <class A>
struct WithFlag {
  A sum;
  bool seen;
};
template <class A>
struct WithThreeBytes {
  A sum;
  unsigned char bytes[3];
};
template <class A>
struct WithIntAfterThree {
  A sum;
  A more[2];
  int count;
};

static_assert(StylePool<PoolWith<Alone>> && StylePool<PoolWith<Several>>);
static_assert(!StylePool<PoolWith<WithInt>> && !StylePool<PoolWith<WithDouble>> && !StylePool<PoolWith<WithFlag>>);
static_assert(!StylePool<PoolWith<WithThreeBytes>> && !StylePool<PoolWith<WithIntAfterThree>>);

struct NoWidth : recal::Mean {
  static constexpr Index width = 0;
};

struct NoMerge {
  static constexpr Index width = 1;
  template <class A>
  using State = Alone<A>;
  template <class A>
  static State<A> start(A first) {
    return {first};
  }
  template <class A>
  static void add(State<A>&, A) {}
  void finish(const State<double>&, Index, double*) const {}
  recal::Pull pull(const double*, const double*, Index) const { return {}; }
};

struct PullsNumbers : recal::Mean {
  double pull(const double*, const double*, Index) const { return 0; }
};

static_assert(!StylePool<NoWidth> && !StylePool<NoMerge> && !StylePool<PullsNumbers>);

}  // namespace

TEST_CASE("a pull asks for nothing unless told") {
  constexpr recal::Pull pull;
  CHECK(pull.p == 0);
  CHECK(pull.q == 0);
  CHECK(pull.pick == 0);
}
