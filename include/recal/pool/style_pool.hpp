// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include <recal/core/shape.hpp>

namespace recal {

/// What a pool's backward asks of a plane: dx += p + q*(x - centre), and `pick` at the first element
/// that equals `picked` (max pooling; leave pick at 0 otherwise).
/// The centre keeps the sum exact for planes with a large offset. With a pack as A: of as many planes as it has lanes.
template <class A>
struct BasicPull {
  A p = 0;
  A q = 0;
  A centre = 0;
  A pick = 0;
  A picked = 0;
};

using Pull = BasicPull<double>;

namespace detail {

/// A stand-in for A whose size no number has.
template <int size>
struct OddBytes {
  unsigned char bytes[size];
};

/// Whether State<A> holds members of type A and nothing else: its size then follows that of A.
template <template <class> class State>
inline constexpr bool holds_only_its_type = sizeof(State<double>) == 2 * sizeof(State<float>) &&
                                            4 * sizeof(State<OddBytes<3>>) == 3 * sizeof(State<float>) &&
                                            4 * sizeof(State<OddBytes<5>>) == 5 * sizeof(State<float>);

}  // namespace detail

/// A style pool turns a plane into `width` numbers, in one pass:
///
///   static constexpr Index width;
///   template <class A> struct State { A ...; };                          only members of type A
///   template <class A> static State<A> start(A typical);                 typical = some element of the plane
///   template <class A> static void add(State<A>&, A x);                  one element (A: a scalar or a pack of them)
///   template <class A> static void merge(State<A>&, const State<A>&);    two parts of one plane; same `typical`
///   void finish(const State<double>&, Index count, double* t) const;     t[0..width)
///   Pull pull(const double* t, const double* dt, Index count) const;     given dL/dt
///
/// The same text runs vectorised and threaded. Written for State<A> and A*, finish() does several planes at once, and
/// so does pull() that takes const A* and gives BasicPull<A>. See docs/own_policy.md.
template <class P>
concept StylePool = requires(const P pool, typename P::template State<float> state,
                             typename P::template State<double> wide, double* t, const double* dt, Index count) {
  { P::width } -> std::convertible_to<Index>;
  requires P::width >
  0;
  requires std::is_trivially_copyable_v<typename P::template State<float>>;
  requires detail::holds_only_its_type<P::template State>;
  { P::template start<float>(1.0F) } -> std::same_as<typename P::template State<float>>;
  P::add(state, 1.0F);
  P::merge(state, state);
  pool.finish(wide, count, t);
  { pool.pull(dt, dt, count) } -> std::same_as<Pull>;
};

}  // namespace recal
