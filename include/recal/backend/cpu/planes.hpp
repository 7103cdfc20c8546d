// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <tuple>
#include <type_traits>

#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>

namespace recal::cpu {

/// Packs summed side by side, so that additions do not wait for each other.
inline constexpr int accumulators = 4;

/// Elements after which float sums move on into double.
inline constexpr Index elements_per_sum = 4096;

namespace detail {

template <class A, class State>
using Members = std::array<A, sizeof(State) / sizeof(A)>;

/// The members of State<A>, which holds nothing but A.
template <class A, class State>
[[nodiscard]] Members<A, State> members(const State& state) {
  return std::bit_cast<Members<A, State>>(state);
}

template <class Reducer, class A>
using StateOf = typename Reducer::template State<A>;

template <class Reducer, class T>
[[nodiscard]] StateOf<Reducer, double> widen(const StateOf<Reducer, T>& narrow) {
  const auto from = members<T>(narrow);
  std::array<double, from.size()> to{};
  for (std::size_t m = 0; m < to.size(); ++m) to[m] = static_cast<double>(from[m]);
  return std::bit_cast<StateOf<Reducer, double>>(to);
}

/// The upper half of the lanes merged into the lower one, in double.
template <class Reducer, class T, int L>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, Pack<double, L / 2>> merge_halves(
    const StateOf<Reducer, Pack<T, L>>& state) {
  using Half = Pack<T, L / 2>;
  using Wide = Pack<double, L / 2>;
  const auto packs = members<Pack<T, L>>(state);
  std::array<Wide, packs.size()> low{};
  std::array<Wide, packs.size()> high{};
  for (std::size_t m = 0; m < packs.size(); ++m) {
    const auto halves = std::bit_cast<std::array<typename Half::Native, 2>>(packs[m].v);
    low[m] = Wide(__builtin_convertvector(halves[0], typename Wide::Native));
    high[m] = Wide(__builtin_convertvector(halves[1], typename Wide::Native));
  }
  auto merged = std::bit_cast<StateOf<Reducer, Wide>>(low);
  Reducer::merge(merged, std::bit_cast<StateOf<Reducer, Wide>>(high));
  return merged;
}

/// All lanes merged, by halves, in double.
template <class Reducer, class T, int L>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, double> merge_lanes(
    const StateOf<Reducer, Pack<T, L>>& state) {
  if constexpr (L > 2) {
    return merge_lanes<Reducer, double, L / 2>(merge_halves<Reducer, T, L>(state));
  } else {
    const auto packs = members<Pack<T, L>>(state);
    std::array<T, packs.size()> low{};
    std::array<T, packs.size()> high{};
    for (std::size_t m = 0; m < packs.size(); ++m) {
      low[m] = packs[m].v[0];
      high[m] = packs[m].v[1];
    }
    auto merged = widen<Reducer, T>(std::bit_cast<StateOf<Reducer, T>>(low));
    Reducer::merge(merged, widen<Reducer, T>(std::bit_cast<StateOf<Reducer, T>>(high)));
    return merged;
  }
}

/// States side by side, and their lanes, merged in double.
template <class Reducer, class T, int L, std::size_t Side>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, double> merge_all(
    std::array<StateOf<Reducer, Pack<T, L>>, Side>& state) {
  if constexpr (L > 2 && Side > 1) {
    auto total = merge_halves<Reducer, T, L>(state[0]);
    for (std::size_t s = 1; s < Side; ++s) Reducer::merge(total, merge_halves<Reducer, T, L>(state[s]));
    return merge_lanes<Reducer, double, L / 2>(total);
  } else {
    for (std::size_t s = 1; s < Side; ++s) Reducer::merge(state[0], state[s]);
    return merge_lanes<Reducer, T, L>(state[0]);
  }
}

/// Where the median of a plane's first, middle and last element stands: a typical element to take
/// deviations from, which one odd pixel cannot spoil; any one where all elements are equal.
template <class A, class T, class... Others>
[[nodiscard]] Index typical_element(Index count, const T* plane, const Others*...) {
  const A first = load<A>(plane);
  const A middle = load<A>(plane + count / 2);
  const A last = load<A>(plane + count - 1);
  // Without branches, which nobody could predict: all bits of the one that it is.
  const auto in_the_middle = static_cast<Index>((first <= middle) == (middle <= last));
  const auto at_the_end = static_cast<Index>((middle <= first) != (first <= last)) & ~in_the_middle;
  return (-in_the_middle & (count / 2)) | (-at_the_end & (count - 1));
}

/// `after` in the lanes from `lane` on, `before` in those below it.
template <class P, class State>
[[nodiscard, gnu::always_inline]] inline State blend(int lane, const State& before, const State& after) {
  P lanes;
  for (int i = 0; i < P::lanes; ++i) lanes.v[i] = static_cast<std::remove_cvref_t<decltype(lanes.v[0])>>(i);
  const auto low = members<P>(before);
  const auto high = members<P>(after);
  Members<P, State> mixed;
  for (std::size_t m = 0; m < mixed.size(); ++m) mixed[m].v = lanes.v >= P(lane).v ? high[m].v : low[m].v;
  return std::bit_cast<State>(mixed);
}

/// A stretch of at least one pack in `Side` states side by side. The last pack ends where the plane ends; the lanes of
/// it that were there before do not count again.
template <std::size_t Side, class Reducer, class A, class Start, class... T>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, double> reduce_packs(Index count, const Start& start,
                                                                               const T*... in) {
  using P = Pack<A, register_bytes / static_cast<int>(sizeof(A))>;
  constexpr Index step = static_cast<Index>(Side) * P::lanes;
  std::array<StateOf<Reducer, P>, Side> state;
  for (auto& s : state) s = start(P{});
  Index k = 0;
  for (; k + step <= count; k += step)
    for (std::size_t s = 0; s < Side; ++s)
      Reducer::add(state[s], load<P>(in + k + static_cast<Index>(s) * P::lanes)...);
  if constexpr (Side > 1)
    for (std::size_t s = 0; k + P::lanes <= count; k += P::lanes, ++s) Reducer::add(state[s], load<P>(in + k)...);
  if (k < count) {
    auto all = state[0];
    Reducer::add(all, load<P>(in + count - P::lanes)...);
    state[0] = blend<P>(P::lanes - static_cast<int>(count - k), state[0], all);
  }
  return merge_all<Reducer, A, P::lanes>(state);
}

/// Where every state begins: at the planes' typical elements.
template <class Reducer, class A, std::size_t Planes>
[[nodiscard]] auto starts_at(const std::array<A, Planes>& typical) {
  return [&typical](auto as) {
    using B = decltype(as);
    return std::apply([](auto... one) { return Reducer::start(B(one)...); }, typical);
  };
}

/// Planes from which on several states are worth their merging, for speed and for short float sums.
template <class A>
inline constexpr Index large_plane = Index{4} * accumulators* register_bytes / static_cast<Index>(sizeof(A));

template <class Reducer, class A, class... T>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, double> reduce_small(
    Index count, const std::array<A, sizeof...(T)>& typical, const T*... in) {
  const auto start = starts_at<Reducer>(typical);
  if (count >= register_bytes / static_cast<Index>(sizeof(A))) return reduce_packs<1, Reducer, A>(count, start, in...);
  auto scalar = start(A{});
  for (Index k = 0; k < count; ++k) Reducer::add(scalar, load<A>(in + k)...);
  return widen<Reducer, A>(scalar);
}

/// In stretches of elements_per_sum.
template <class Reducer, class A, class... T>
[[nodiscard, gnu::noinline]] StateOf<Reducer, double> reduce_large(Index count,
                                                                   const std::array<A, sizeof...(T)>& typical,
                                                                   const T*... in) {
  StateOf<Reducer, double> total{};
  for (Index k = 0; k < count; k += elements_per_sum) {
    const Index rest = std::min(elements_per_sum, count - k);
    const auto part = rest < large_plane<A>
                          ? reduce_small<Reducer, A>(rest, typical, (in + k)...)
                          : reduce_packs<accumulators, Reducer, A>(rest, starts_at<Reducer>(typical), (in + k)...);
    if (k == 0)
      total = part;
    else
      Reducer::merge(total, part);
  }
  return total;
}

template <class State>
[[nodiscard]] bool finite(const State& state) {
  double zero = 0.0;  // else NaN
  for (const double member : members<double>(state)) zero += 0.0 * member;
  return zero == 0.0;
}

/// The same in double, one element after the other: for planes whose float sums overflow.
template <class Reducer, class... T>
[[gnu::cold, gnu::noinline]] auto reduce_in_double(Index count, const T*... in) {
  auto state = Reducer::start(static_cast<double>(*in)...);
  for (Index k = 0; k < count; ++k) Reducer::add(state, static_cast<double>(in[k])...);
  return state;
}

}  // namespace detail

/// Reducer over planes of K elements: state = start(a typical element of each), add() for every element.
///   float, half and bfloat16 are summed in several float packs, merged in double; double in double.
/// requires: count >= 1
/// ensures:  depends on the elements and on nothing else; finite where the result is
/// cost:     reads every plane once
template <class Reducer, class... T>
[[nodiscard]] auto reduce(const Reducer&, Index count, const T*... in) {
  using A = std::common_type_t<accumulator_t<T>...>;
  const Index k0 = detail::typical_element<A>(count, in...);
  const std::array<A, sizeof...(T)> typical{load<A>(in + k0)...};
  const auto total = count < detail::large_plane<A> ? detail::reduce_small<Reducer, A>(count, typical, in...)
                                                    : detail::reduce_large<Reducer, A>(count, typical, in...);
  if (!detail::finite(total)) [[unlikely]]
    return detail::reduce_in_double<Reducer>(count, in...);
  return total;
}

/// out_k = f(in_k...) over planes of K elements; out may be one of the inputs.
/// cost: reads every input once, writes out once
template <class Out, class F, class... T>
void map(Index count, Out* out, const F& f, const T*... in) {
  using A = std::common_type_t<accumulator_t<Out>, accumulator_t<T>...>;
  using P = Pack<A, register_bytes / static_cast<int>(sizeof(A))>;
  Index k = 0;
  for (; k + P::lanes <= count; k += P::lanes) store(out + k, f(load<P>(in + k)...));
  for (; k < count; ++k) store(out + k, f(load<A>(in + k)...));
}

}  // namespace recal::cpu
