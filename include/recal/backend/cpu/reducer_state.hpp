// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <recal/core/members.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/unrolled.hpp>

// For lambdas whose parameters are packs: in registers, whatever the optimiser thinks of their size.
#define RECAL_INLINE __attribute__((always_inline))

/// What can be done to any reducer's State<A>, which holds nothing but A: its members are widened, chosen and merged,
/// in unrolled loops over them.
namespace recal::cpu::detail {

template <class Reducer, class A>
using StateOf = typename Reducer::template State<A>;

using recal::detail::member;
using recal::detail::member_count;

/// Every lane in double.
template <class T, int L>
[[nodiscard, gnu::always_inline]] inline Pack<double, L> widen(Pack<T, L> narrow) {
  Pack<double, L> wide;
  for (int lane = 0; lane < L; ++lane) wide.v[lane] = static_cast<double>(narrow.v[lane]);
  return wide;
}

/// The lower half of the lanes and the upper one, in double.
template <class T, int L>
[[gnu::always_inline]] inline void split(Pack<T, L> pack, Pack<double, L / 2>& low, Pack<double, L / 2>& high) {
  const auto wide = __builtin_convertvector(pack.v, typename Pack<double, L>::Native);
  [&]<int... lane>(std::integer_sequence<int, lane...>) RECAL_INLINE {
    low.v = __builtin_shufflevector(wide, wide, lane...);
    high.v = __builtin_shufflevector(wide, wide, (lane + L / 2)...);
  }
  (std::make_integer_sequence<int, L / 2>{});
}

/// The upper half of the lanes merged into the lower one, in double.
template <class Reducer, class T, int L>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, Pack<double, L / 2>> merge_halves(
    const StateOf<Reducer, Pack<T, L>>& state) {
  using Half = Pack<double, L / 2>;
  StateOf<Reducer, Half> low;
  StateOf<Reducer, Half> high;
  unrolled<member_count<Half, StateOf<Reducer, Half>>>([&](std::size_t m) RECAL_INLINE {
    split(member<Pack<T, L>>(state, m), member<Half>(low, m), member<Half>(high, m));
  });
  Reducer::merge(low, high);
  return low;
}

/// One lane.
template <class Reducer, class P>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, double> lane_of(const StateOf<Reducer, P>& state, int lane) {
  StateOf<Reducer, double> own;
  unrolled<member_count<double, StateOf<Reducer, double>>>(
      [&](std::size_t m) RECAL_INLINE { member<double>(own, m) = static_cast<double>(member<P>(state, m).v[lane]); });
  return own;
}

/// All lanes merged into one, by halves.
template <class Reducer, int L>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, double> merge_lanes(
    const StateOf<Reducer, Pack<double, L>>& state) {
  if constexpr (L > 2) {
    return merge_lanes<Reducer, L / 2>(merge_halves<Reducer, double, L>(state));
  } else {
    auto merged = lane_of<Reducer, Pack<double, L>>(state, 0);
    Reducer::merge(merged, lane_of<Reducer, Pack<double, L>>(state, 1));
    return merged;
  }
}

/// The lanes from `first` on.
template <class P>
[[nodiscard, gnu::always_inline]] inline auto lanes_from(int first) {
  P lanes;
  for (int i = 0; i < P::lanes; ++i) lanes.v[i] = static_cast<std::remove_cvref_t<decltype(lanes.v[0])>>(i);
  return lanes.v >= P(first).v;
}

/// `after` in the chosen lanes of `state`.
template <class P, class State, class Lanes>
[[gnu::always_inline]] inline void blend(State& state, const Lanes& chosen, const State& after) {
  unrolled<member_count<P, State>>([&](std::size_t m) RECAL_INLINE {
    P& before = member<P>(state, m);
    before.v = chosen ? member<P>(after, m).v : before.v;
  });
}

template <class State>
[[nodiscard]] bool finite(const State& state) {
  double zero = 0.0;  // else NaN
  unrolled<member_count<double, State>>([&](std::size_t m) { zero += 0.0 * member<double>(state, m); });
  return zero == 0.0;
}

}  // namespace recal::cpu::detail
