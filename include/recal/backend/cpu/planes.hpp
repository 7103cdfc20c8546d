// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <type_traits>

#include <recal/backend/cpu/lines.hpp>
#include <recal/backend/cpu/plane_run.hpp>
#include <recal/backend/cpu/reducer_state.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>

namespace recal::cpu {

/// Packs summed side by side, so that additions do not wait for each other.
inline constexpr int accumulators = 4;

/// Elements after which float sums move on into double.
inline constexpr Index elements_per_sum = 4096;

namespace detail {

/// States side by side, and their lanes, merged in double.
template <class Reducer, class A, std::size_t Side>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, double> merge_all(
    const std::array<StateOf<Reducer, Register<A>>, Side>& state) {
  constexpr int lanes = Register<A>::lanes;
  if constexpr (std::same_as<A, double>) {
    auto total = state[0];
    for (std::size_t s = 1; s < Side; ++s) Reducer::merge(total, state[s]);
    return merge_lanes<Reducer, lanes>(total);
  } else {
    auto total = merge_halves<Reducer, A, lanes>(state[0]);
    for (std::size_t s = 1; s < Side; ++s) Reducer::merge(total, merge_halves<Reducer, A, lanes>(state[s]));
    return merge_lanes<Reducer, lanes / 2>(total);
  }
}

/// A stretch of at least one pack in `accumulators` states side by side. The last pack ends where the stretch ends; the
/// lanes of it that were there before do not count again.
template <class Reducer, class A, class... T>
[[nodiscard, gnu::always_inline]] inline StateOf<Reducer, double> reduce_stretch(
    Index count, const StateOf<Reducer, Register<A>>& start, const T*... in) {
  using P = Register<A>;
  constexpr Index step = Index{accumulators} * P::lanes;
  std::array<StateOf<Reducer, P>, accumulators> state;
  state.fill(start);
  Index k = 0;
  for (; k + step <= count; k += step)
    for (std::size_t s = 0; s < accumulators; ++s)
      Reducer::add(state[s], load<P>(in + k + static_cast<Index>(s) * P::lanes)...);
  for (std::size_t s = 0; k + P::lanes <= count; k += P::lanes, ++s) Reducer::add(state[s], load<P>(in + k)...);
  if (k < count) {
    auto all = state[0];
    Reducer::add(all, load<P>(in + count - P::lanes)...);
    blend<P>(state[0], lanes_from<P>(P::lanes - static_cast<int>(count - k)), all);
  }
  return merge_all<Reducer, A>(state);
}

/// Planes from which on several states for one plane are worth their merging, for speed and for short float sums.
template <class A>
inline constexpr Index large_plane = Index{32} * Register<A>::lanes;

/// In equal stretches of up to elements_per_sum.
template <class Reducer, class A, class... T>
[[nodiscard, gnu::noinline]] StateOf<Reducer, double> reduce_large(Index count, const T*... in) {
  const auto typical = [count](const auto* plane) {
    return Register<A>(typical_element(count, [plane](Index k) { return load<A>(plane + k); }));
  };
  const auto start = Reducer::start(typical(in)...);
  const Index stretches = (count + elements_per_sum - 1) / elements_per_sum;
  StateOf<Reducer, double> total{};
  for (Index s = 0; s < stretches; ++s) {
    const Index first = count * s / stretches;
    const auto part = reduce_stretch<Reducer, A>(count * (s + 1) / stretches - first, start, (in + first)...);
    if (s == 0)
      total = part;
    else
      Reducer::merge(total, part);
  }
  return total;
}

/// A sink that says where what is made of the planes will be written.
template <class Sink>
concept SaysWhatIsWritten = requires(const Sink& sink) {
  sink.written_next.first;
};

/// A sink that takes the states of planes side by side.
template <class Sink, class Reducer>
concept TakesSeveral = requires(const Sink& sink, const StateOf<Reducer, OfPlanes<double>>& states) {
  sink.template several<OfPlanes<double>>(Index{}, Index{}, states);
};

/// The same in double, one element after the other: for planes whose float sums overflow.
template <class Reducer, class... T>
[[gnu::cold, gnu::noinline]] auto reduce_in_double(Index count, const T*... in) {
  auto state = Reducer::start(static_cast<double>(*in)...);
  for (Index k = 0; k < count; ++k) Reducer::add(state, static_cast<double>(in[k])...);
  return state;
}

}  // namespace detail

/// Reducer over each of the first `planes` planes of K elements: state = start(a typical element of each), add() for
/// every element; then sink(i, state of plane i), or sink.several<Lanes>(first, own, states) for the planes
/// [first, first + own) at once, a lane each, where the sink has that and planes are small.
///   float, half and bfloat16 are summed in several float packs, merged in double (of small planes, the halves of a
///   pack in float); double in double.
/// requires: count >= 1
/// ensures:  a state depends on its plane's elements and on nothing else; it is finite where the result is
/// cost:     reads every plane once
template <class Reducer, class Sink, class... T>
void reduce_planes(const Reducer&, Index count, Index planes, const Sink& sink, PlaneSpan<T>... in) {
  using A = std::common_type_t<accumulator_t<std::remove_const_t<T>>...>;
  const auto settled = [&](Index i, const detail::StateOf<Reducer, double>& state) {
    return detail::finite(state) ? state : detail::reduce_in_double<Reducer>(count, in[i]...);
  };
  if (count >= detail::large_plane<A>) {
    for (Index i = 0; i < planes; ++i) sink(i, settled(i, detail::reduce_large<Reducer, A>(count, in[i]...)));
    return;
  }
  // All sums first, then what is made of them: divisions and roots of one plane overlap with those of others.
  std::array<detail::PlaneStates<Reducer>, detail::sides_at_once> states;
  for (Index run = 0; run < planes; run += detail::sides_at_once * detail::side) {
    const Index sides = std::min(detail::sides_at_once, (planes - run + detail::side - 1) / detail::side);
    const auto first = [&](Index s) { return run + s * detail::side; };
    const auto own = [&](Index s) { return std::min<Index>(detail::side, planes - first(s)); };
    detail::OfPlanes<double> zeros(0);
    for (Index s = 0; s < sides; ++s) {
      if constexpr (detail::SaysWhatIsWritten<Sink>)
        if (const auto [memory, bytes] = sink.written_next; memory != nullptr)
          ask_for_lines<ToWrite>(memory + first(s) * bytes, own(s) * bytes);
      detail::reduce_side_by_side<Reducer, A>(at(states, s), count, own(s), PlaneSpan<T>{in[first(s)], in.stride}...);
      zeros += at(states, s).zeros();
    }
    if (!detail::all_zero(zeros)) [[unlikely]]
      for (Index s = 0; s < sides; ++s)
        for (Index p = 0; p < own(s); ++p) at(states, s).set(p, settled(first(s) + p, at(states, s)[p]));
    for (Index s = 0; s < sides; ++s)
      if constexpr (detail::TakesSeveral<Sink, Reducer>)
        sink.template several<detail::OfPlanes<double>>(first(s), own(s), at(states, s).all());
      else
        for (Index p = 0; p < own(s); ++p) sink(first(s) + p, at(states, s)[p]);
  }
}

/// The same of one plane.
template <class Reducer, class... T>
[[nodiscard]] auto reduce(const Reducer& reducer, Index count, const T*... in) {
  detail::StateOf<Reducer, double> state{};
  reduce_planes(
      reducer, count, 1, [&state](Index, const auto& own) { state = own; }, PlaneSpan<const T>{in, 0}...);
  return state;
}

namespace detail {

/// How far ahead of the stores their lines are asked for: far enough for the third cache to answer.
inline constexpr Index bytes_ahead = 2048;

/// Asks for the line of an element some way behind out[k], the last one at most. A store that misses keeps all that
/// follow it waiting, and few fit into that queue; a line that is asked for does not.
template <class Out>
[[gnu::always_inline]] inline void ask_ahead(const Out* out, Index k, Index last) {
  constexpr Index ahead = bytes_ahead / static_cast<Index>(sizeof(Out));
  __builtin_prefetch(out + std::min(k + ahead, last), 1);
}

}  // namespace detail

/// out_k = f(in_k...) over planes of K elements; out may be one of the inputs.
/// requires: out overlaps no input in part
/// cost: reads every input once, writes out once
template <class Out, class F, class... T>
void map(Index count, Out* out, const F& f, const T*... in) {
  using A = std::common_type_t<accumulator_t<Out>, accumulator_t<T>...>;
  using P = detail::Register<A>;
  if (count < P::lanes) {
    for (Index k = 0; k < count; ++k) store(out + k, f(load<A>(in + k)...));
    return;
  }
  // The last pack ends where the plane ends. It is worked out first, for out may be one of the inputs.
  const Index last = count - P::lanes;
  const P rest = f(load<P>(in + last)...);
  for (Index k = 0; k < last; k += P::lanes) {
    detail::ask_ahead(out, k, last);
    store(out + k, f(load<P>(in + k)...));
  }
  store(out + last, rest);
}

/// out_k = f(in_k...) with f = of(i) over the i-th of `planes` planes of K elements that lie one after the other; out
/// may be one of the inputs. A pack may hold the end of one plane and the beginning of the next, so that packs that
/// begin on cache lines stay there whatever K is.
/// requires: out overlaps no input in part
/// cost: reads every input once, writes out once
template <class Out, class Of, class... T>
[[gnu::flatten]] void map_each_plane(Index count, Index planes, Out* out, const Of& of, const T*... in) {
  using A = std::common_type_t<accumulator_t<Out>, accumulator_t<T>...>;
  using P = detail::Register<A>;
  if (count < P::lanes) {
    for (Index i = 0; i < planes; ++i) map(count, out + i * count, of(i), (in + i * count)...);
    return;
  }
  if (planes == 0) return;
  const Index last = count * planes - P::lanes;
  const P rest = of(planes - 1)(load<P>(in + last)...);
  Index k = 0;
  for (Index i = 0; i < planes; ++i) {
    const auto f = of(i);
    const Index end = (i + 1) * count;
    for (; k + P::lanes <= end; k += P::lanes) {
      detail::ask_ahead(out, k, last);
      store(out + k, f(load<P>(in + k)...));
    }
    if (k == end || i + 1 == planes) continue;
    P across = f(load<P>(in + k)...);
    detail::blend<P>(across, detail::lanes_from<P>(static_cast<int>(end - k)), of(i + 1)(load<P>(in + k)...));
    store(out + k, across);
    k += P::lanes;
  }
  store(out + last, rest);
}

}  // namespace recal::cpu
