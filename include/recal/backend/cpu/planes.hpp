// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// The lanes of a pack of states, merged by halves: the upper half into the lower one, in double.
template <class Reducer, class T, int L>
[[nodiscard]] StateOf<Reducer, double> merge_lanes(const StateOf<Reducer, Pack<T, L>>& state) {
  const auto packs = members<Pack<T, L>>(state);
  if constexpr (L == 2) {
    std::array<T, packs.size()> low{};
    std::array<T, packs.size()> high{};
    for (std::size_t m = 0; m < packs.size(); ++m) {
      low[m] = packs[m].v[0];
      high[m] = packs[m].v[1];
    }
    auto merged = widen<Reducer, T>(std::bit_cast<StateOf<Reducer, T>>(low));
    Reducer::merge(merged, widen<Reducer, T>(std::bit_cast<StateOf<Reducer, T>>(high)));
    return merged;
  } else {
    using Half = Pack<T, L / 2>;
    using Wide = Pack<double, L / 2>;
    std::array<Wide, packs.size()> low{};
    std::array<Wide, packs.size()> high{};
    for (std::size_t m = 0; m < packs.size(); ++m) {
      const auto halves = std::bit_cast<std::array<typename Half::Native, 2>>(packs[m].v);
      low[m] = Wide(__builtin_convertvector(halves[0], typename Wide::Native));
      high[m] = Wide(__builtin_convertvector(halves[1], typename Wide::Native));
    }
    auto merged = std::bit_cast<StateOf<Reducer, Wide>>(low);
    Reducer::merge(merged, std::bit_cast<StateOf<Reducer, Wide>>(high));
    return merge_lanes<Reducer, double, L / 2>(merged);
  }
}

/// Where the median of a plane's first, middle and last element stands: a typical element to take
/// deviations from, which one odd pixel cannot spoil; any one where all elements are equal.
template <class A, class T, class... Others>
[[nodiscard]] Index typical_element(Index count, const T* plane, const Others*...) {
  const A first = load<A>(plane);
  const A middle = load<A>(plane + count / 2);
  const A last = load<A>(plane + count - 1);
  if ((first <= middle) == (middle <= last)) return count / 2;
  return (middle <= first) == (first <= last) ? 0 : count - 1;
}

/// One stretch of at most elements_per_sum elements, begun from the plane's typical elements.
template <class Reducer, class A, class... T>
[[nodiscard]] StateOf<Reducer, double> reduce_stretch(Index count, const std::array<A, sizeof...(T)>& typical,
                                                      const T*... in) {
  using P = Pack<A, register_bytes / static_cast<int>(sizeof(A))>;
  const auto start = [&typical](auto as) {
    using B = decltype(as);
    return std::apply([](auto... one) { return Reducer::start(B(one)...); }, typical);
  };
  Index k = 0;
  auto scalar = start(A{});
  auto total = StateOf<Reducer, double>{};
  const bool packed = count >= P::lanes;
  if (packed) {
    const auto begun = start(P{});
    StateOf<Reducer, P> state[accumulators];
    for (auto& s : state) s = begun;
    for (; k + accumulators * P::lanes <= count; k += accumulators * P::lanes)
      for (int s = 0; s < accumulators; ++s) Reducer::add(state[s], load<P>(in + k + s * P::lanes)...);
    for (int s = 0; k + P::lanes <= count; k += P::lanes, ++s) Reducer::add(state[s], load<P>(in + k)...);
    Reducer::merge(state[0], state[1]);
    Reducer::merge(state[2], state[3]);
    Reducer::merge(state[0], state[2]);
    total = merge_lanes<Reducer, A, P::lanes>(state[0]);
  }
  if (k == count) return total;
  for (; k < count; ++k) Reducer::add(scalar, load<A>(in + k)...);
  if (!packed) return widen<Reducer, A>(scalar);
  Reducer::merge(total, widen<Reducer, A>(scalar));
  return total;
}

template <class State>
[[nodiscard]] bool finite(const State& state) {
  for (const double member : members<double>(state))
    if (!std::isfinite(member)) return false;
  return true;
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
  auto total = detail::reduce_stretch<Reducer, A>(count < elements_per_sum ? count : elements_per_sum, typical, in...);
  for (Index k = elements_per_sum; k < count; k += elements_per_sum) {
    const Index rest = count - k < elements_per_sum ? count - k : elements_per_sum;
    Reducer::merge(total, detail::reduce_stretch<Reducer, A>(rest, typical, (in + k)...));
  }
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
