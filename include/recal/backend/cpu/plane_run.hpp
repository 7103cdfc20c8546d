// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <recal/backend/cpu/reducer_state.hpp>
#include <recal/core/one_body.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/transpose_lanes.hpp>

/// Small planes are reduced side by side: as many at once as a register holds doubles. Each has packs of its own;
/// then the packs are merged so that every plane has a lane. What a plane sums up to does not depend on its neighbours.
namespace recal::cpu::detail {

/// Planes that are reduced side by side.
inline constexpr int side = register_bytes / static_cast<int>(sizeof(double));

/// Where planes that are reduced side by side begin.
template <class T>
using Starts = std::array<T*, static_cast<std::size_t>(side)>;

/// A register of A.
template <class A>
using Register = Pack<A, register_bytes / static_cast<int>(sizeof(A))>;

/// One number of every plane.
template <class A>
using OfPlanes = Pack<A, side>;

/// f(p) for every plane.
template <class F>
[[gnu::always_inline]] inline void for_each_plane(const F& f) {
  unrolled<static_cast<std::size_t>(side)>(f);
}

/// The first of `planes`; the last of them again where there are fewer.
template <class T>
[[nodiscard, gnu::always_inline]] inline Starts<T> starts(const PlaneSpan<T>& in, Index planes) {
  Starts<T> all;
  for_each_plane([&](std::size_t p) RECAL_INLINE { all[p] = in[std::min(static_cast<Index>(p), planes - 1)]; });
  return all;
}

/// Element k of every plane.
template <class A, class T>
[[nodiscard, gnu::always_inline]] inline OfPlanes<A> element(const Starts<T>& planes, Index k) {
  OfPlanes<A> x;
  for_each_plane([&](std::size_t p) RECAL_INLINE { x.v[p] = load<A>(planes[p] + k); });
  return x;
}

/// The one in the middle.
template <class P>
[[nodiscard, gnu::always_inline]] inline P median(P a, P b, P c) {
  return max(min(a, b), min(max(a, b), c));
}

/// The median of a plane's first, middle and last of `count` elements, `element(k)` the k-th: a typical element to take
/// deviations from, which one odd pixel cannot spoil.
template <class F>
[[nodiscard, gnu::always_inline]] inline auto typical_element(Index count, const F& element) {
  return median(element(0), element(count / 2), element(count - 1));
}

/// That of every plane, in all lanes of a register each: so memory, not shuffles, spreads it.
template <class A, class T>
[[nodiscard, gnu::always_inline]] inline std::array<Register<A>, static_cast<std::size_t>(side)> typical_registers(
    Index count, const Starts<T>& planes) {
  std::array<Register<A>, static_cast<std::size_t>(side)> typical;
  for_each_plane([&](std::size_t p) RECAL_INLINE {
    typical[p] = typical_element(count, [&](Index k) RECAL_INLINE { return Register<A>(load<A>(planes[p] + k)); });
  });
  return typical;
}

/// What every plane has in all lanes, a lane each and in double.
template <class A>
[[nodiscard, gnu::always_inline]] inline OfPlanes<double> in_lanes(
    const std::array<Register<A>, static_cast<std::size_t>(side)>& registers) {
  OfPlanes<A> lanes;
  for_each_plane([&](std::size_t p) RECAL_INLINE { lanes.v[p] = registers[p].v[0]; });
  return widen(lanes);
}

template <class Reducer, class A>
using StatesOfPlanes = std::array<StateOf<Reducer, Register<A>>, static_cast<std::size_t>(side)>;

/// Merges 2 `half` states pairwise, `half` lanes apart: half as many are left, with lanes of two each.
template <int half, class Reducer, class P, class States>
[[gnu::always_inline]] inline void merge_pairs(States& states) {
  using State = typename States::value_type;
  unrolled<half>([&](std::size_t p) RECAL_INLINE {
    unrolled<member_count<P, State>>([&](std::size_t m) RECAL_INLINE {
      recal::detail::exchange<half>(member<P>(states[p], m), member<P>(states[p + half], m),
                                    std::make_integer_sequence<int, P::lanes>{});
    });
    Reducer::merge(states[p], states[p + half]);
  });
}

/// The same until state 0 has a lane for each of them.
template <int half, class Reducer, class P, class States>
[[gnu::always_inline]] inline void merge_into_lanes(States& states) {
  merge_pairs<half, Reducer, P>(states);
  if constexpr (half > 1) merge_into_lanes<half / 2, Reducer, P>(states);
}

/// All lanes of every plane merged, by halves: float once in float, which costs less than to widen all, then in double.
template <class Reducer, class A>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, OfPlanes<double>> merge_planes(
    StatesOfPlanes<Reducer, A>& states) {
  constexpr int half = side / 2;
  if constexpr (Register<A>::lanes > side) {
    merge_pairs<half, Reducer, Register<A>>(states);
    std::array<StateOf<Reducer, OfPlanes<double>>, static_cast<std::size_t>(half)> of;
    unrolled<half>([&](std::size_t p)
                       RECAL_INLINE { of[p] = merge_halves<Reducer, A, Register<A>::lanes>(states[p]); });
    if constexpr (half > 1) merge_into_lanes<half / 2, Reducer, OfPlanes<double>>(of);
    return of[0];
  } else {
    merge_into_lanes<half, Reducer, Register<A>>(states);
    return states[0];
  }
}

/// Registers of a plane that are summed up before the sums move on into double.
inline constexpr Index registers_per_sum = 16;

/// The elements [first, last) of planes, at least one register. The last pack ends where they end; the lanes of it that
/// were there before do not count again.
template <class Reducer, class A, class... T>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, OfPlanes<double>> reduce_packs(
    Index first, Index last, const StatesOfPlanes<Reducer, A>& begin, const Starts<T>&... in) {
  using P = Register<A>;
  auto states = begin;
  Index k = first;
  for (; k + P::lanes <= last; k += P::lanes)
    for_each_plane([&](std::size_t p) RECAL_INLINE { Reducer::add(states[p], load<P>(in[p] + k)...); });
  if (k < last) {
    const auto fresh = lanes_from<P>(P::lanes - static_cast<int>(last - k));
    for_each_plane([&](std::size_t p) RECAL_INLINE {
      auto all = states[p];
      Reducer::add(all, load<P>(in[p] + last - P::lanes)...);
      blend<P>(states[p], fresh, all);
    });
  }
  return merge_planes<Reducer, A>(states);
}

/// Planes of at least one register, in equal stretches of up to registers_per_sum.
template <class Reducer, class A, class... T>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, OfPlanes<double>> reduce_stretches(Index count,
                                                                                             const Starts<T>&... in) {
  using P = Register<A>;
  StatesOfPlanes<Reducer, A> begin;
  StateOf<Reducer, OfPlanes<double>> total;
  const auto start = [&](const auto&... typical) RECAL_INLINE {
    for_each_plane([&](std::size_t p) RECAL_INLINE { begin[p] = Reducer::start(typical[p]...); });
    total = Reducer::start(in_lanes<A>(typical)...);
  };
  start(typical_registers<A>(count, in)...);
  constexpr Index longest = registers_per_sum * P::lanes;
  const Index stretches = (count + longest - 1) / longest;
  Index last = 0;
  for (Index s = 0; s < stretches; ++s) {
    const Index first = std::exchange(last, stretches > 1 ? count * (s + 1) / stretches : count);
    Reducer::merge(total, reduce_packs<Reducer, A>(first, last, begin, in...));
  }
  return total;
}

/// Planes of less than one register: a lane a plane from the beginning.
template <class Reducer, class A, class... T>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, OfPlanes<double>> reduce_elements(Index count,
                                                                                            const Starts<T>&... in) {
  using Wide = OfPlanes<double>;
  auto state = Reducer::start(typical_element(count, [&](Index k) RECAL_INLINE { return element<A>(in, k); })...);
  for (Index k = 0; k < count; ++k) Reducer::add(state, element<A>(in, k)...);
  StateOf<Reducer, Wide> wide;
  unrolled<member_count<Wide, StateOf<Reducer, Wide>>>(
      [&](std::size_t m) RECAL_INLINE { member<Wide>(wide, m) = widen(member<OfPlanes<A>>(state, m)); });
  return wide;
}

/// The states of planes that were reduced side by side.
template <class Reducer>
class PlaneStates {
 public:
  using States = StateOf<Reducer, OfPlanes<double>>;

  [[nodiscard]] States& all() { return states_; }
  [[nodiscard]] const States& all() const { return states_; }

  [[nodiscard]] StateOf<Reducer, double> operator[](Index plane) const {
    return lane_of<Reducer, OfPlanes<double>>(states_, static_cast<int>(plane));
  }

  void set(Index plane, const StateOf<Reducer, double>& state) {
    unrolled<member_count<OfPlanes<double>, States>>(
        [&](std::size_t m) RECAL_INLINE { member<OfPlanes<double>>(states_, m).v[plane] = member<double>(state, m); });
  }

  /// 0 for every plane whose members are all finite, else NaN.
  [[nodiscard]] OfPlanes<double> zeros() const {
    OfPlanes<double> zero(0);
    unrolled<member_count<OfPlanes<double>, States>>(
        [&](std::size_t m) RECAL_INLINE { zero += OfPlanes<double>(0) * member<OfPlanes<double>>(states_, m); });
    return zero;
  }

 private:
  States states_;
};

/// Whether no plane has a NaN here.
[[nodiscard]] inline bool all_zero(const OfPlanes<double>& zeros) {
  double all = 0;
  for (int p = 0; p < side; ++p) all += zeros.v[p];
  return all == 0;
}

/// Sides whose states are kept until all of them are summed up.
inline constexpr Index sides_at_once = 16;

/// The first of `planes`, as many as can be. One body for whoever calls it: compiled once more elsewhere, the same
/// formula may be contracted to other fused multiply-adds.
template <class Reducer, class A, class... T>
[[gnu::flatten]] RECAL_ONE_BODY void reduce_side_by_side(PlaneStates<Reducer>& to, Index count, Index planes,
                                                         PlaneSpan<T>... in) {
  const auto states = count < Register<A>::lanes ? reduce_elements<Reducer, A>(count, starts(in, planes)...)
                                                 : reduce_stretches<Reducer, A>(count, starts(in, planes)...);
  using Wide = OfPlanes<double>;
  unrolled<member_count<Wide, StateOf<Reducer, Wide>>>(
      [&](std::size_t m) RECAL_INLINE { member<Wide>(to.all(), m) = member<Wide>(states, m); });
}

}  // namespace recal::cpu::detail
