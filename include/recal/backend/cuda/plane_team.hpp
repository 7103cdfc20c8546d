// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <recal/backend/cuda/context.hpp>
#include <recal/backend/cuda/convert.hpp>

namespace recal::cuda {

namespace detail {

template <class Reducer, class A>
using StateOf = typename Reducer::template State<A>;

/// How many numbers a reducer's state is made of.
template <class Reducer>
inline constexpr int state_size = static_cast<int>(sizeof(StateOf<Reducer, float>) / sizeof(float));

/// The members of a State<A>, which holds nothing but A.
template <class Reducer, class A>
struct Members {
  A value[state_size<Reducer>];
};

template <class Reducer, class A>
[[nodiscard]] RECAL_HOST_DEVICE Members<Reducer, A> members(const StateOf<Reducer, A>& state) {
  return std::bit_cast<Members<Reducer, A>>(state);
}

template <class Reducer, class A>
[[nodiscard]] RECAL_HOST_DEVICE StateOf<Reducer, A> state_of(const Members<Reducer, A>& numbers) {
  return std::bit_cast<StateOf<Reducer, A>>(numbers);
}

template <class Reducer, class A>
[[nodiscard]] RECAL_HOST_DEVICE StateOf<Reducer, double> widen_state(const StateOf<Reducer, A>& state) {
  const auto from = members<Reducer, A>(state);
  Members<Reducer, double> to;
  for (int m = 0; m < state_size<Reducer>; ++m) to.value[m] = static_cast<double>(from.value[m]);
  return state_of<Reducer, double>(to);
}

template <class T, class... Others>
inline constexpr std::size_t largest_size = sizeof(T) > largest_size<Others...> ? sizeof(T) : largest_size<Others...>;
template <class T>
inline constexpr std::size_t largest_size<T> = sizeof(T);

/// Elements in a load of 128 bits.
template <class... T>
inline constexpr int vector_length = static_cast<int>(16 / largest_size<T...>);

template <int L, class T>
[[nodiscard]] RECAL_HOST_DEVICE bool aligned(const T* at) {
  return reinterpret_cast<std::uintptr_t>(at) % sizeof(Vector<T, L>) == 0;
}

template <int L, class T>
[[nodiscard]] RECAL_HOST_DEVICE const Vector<T, L>* as_vector(const T* at) {
  return reinterpret_cast<const Vector<T, L>*>(at);
}
template <int L, class T>
[[nodiscard]] RECAL_HOST_DEVICE Vector<T, L>* as_vector(T* at) {
  return reinterpret_cast<Vector<T, L>*>(at);
}

}  // namespace detail

/// A stretch of a plane: elements [begin, end).
struct Stretch {
  Index begin;
  Index end;
};

/// The threads that work through a plane together: one warp, or the whole block. A recal::Team, and what it needs to
/// share a plane with other teams. All its threads call every function together, with the same arguments.
/// Elements come in loads of 128 bits where every tensor's address allows it, one by one otherwise: planes of 7x7
/// mostly do not.
template <class Context>
class PlaneTeam {
 public:
  template <class T>
  using accumulator = accumulator_t<T>;

  /// requires: width is 32, or the number of threads in the block
  RECAL_HOST_DEVICE PlaneTeam(const Context& ctx, int width) : ctx_(ctx), width_(width) {}

  /// Shared memory of a block whose teams reduce with Reducer.
  template <class Reducer>
  static constexpr int shared_bytes = (warp_lanes + 1) * detail::state_size<Reducer>* static_cast<int>(sizeof(double));

  [[nodiscard]] RECAL_HOST_DEVICE int index() const { return ctx_.thread() / width_; }
  [[nodiscard]] RECAL_HOST_DEVICE int count() const { return ctx_.threads() / width_; }
  [[nodiscard]] RECAL_HOST_DEVICE int lane() const { return ctx_.thread() % width_; }

  /// A reducer over planes of `count` elements; every thread gets the state.
  template <class Reducer, class... T>
  [[nodiscard]] RECAL_HOST_DEVICE auto reduce(const Reducer&, Index count, const T*... in) const {
    return reduce_stretch<Reducer>(count, {0, count}, in...);
  }

  /// The same over a stretch of the planes. States of several stretches can be merged: all start at the same element.
  /// Sums are float, merged by halves of a warp, then of the warps; in double where float overflows.
  template <class Reducer, class... T>
  [[nodiscard]] RECAL_HOST_DEVICE detail::StateOf<Reducer, double> reduce_stretch(Index count, Stretch stretch,
                                                                                  const T*... in) const {
    using A = std::common_type_t<accumulator_t<T>...>;
    const Index typical = typical_element<A>(count, in...);
    const auto narrow = detail::widen_state<Reducer, A>(gather<Reducer, A>(typical, stretch, in...));
    if constexpr (std::is_same_v<A, float>)
      if (!finite<Reducer>(narrow)) return gather<Reducer, double>(typical, stretch, in...);
    return narrow;
  }

  /// out_k = f(in_k, ...) over planes of `count` elements; out may be one of the inputs.
  template <class Out, class F, class... T>
  RECAL_HOST_DEVICE void map(Index count, Out* out, const F& f, const T*... in) const {
    map_stretch({0, count}, out, f, in...);
  }

  template <class Out, class F, class... T>
  RECAL_HOST_DEVICE void map_stretch(Stretch stretch, Out* out, const F& f, const T*... in) const {
    using A = std::common_type_t<accumulator_t<Out>, accumulator_t<T>...>;
    constexpr int L = detail::vector_length<Out, T...>;
    const Index rest = vectors_end<L>(stretch, static_cast<const Out*>(out), in...);
    for (Index k = stretch.begin + lane() * L; k < rest; k += width_ * L)
      ctx_.store(detail::as_vector<L>(out + k), map_vector<Out, A, L>(f, ctx_.load(detail::as_vector<L>(in + k))...));
    for (Index k = rest + lane(); k < stretch.end; k += width_)
      ctx_.store(out + k, narrow<Out>(f(widen<A>(ctx_.load(in + k))...)));
  }

  /// The lane whose store of element k in map_stretch(stretch, out, f, in...) it is; -1 where it is nobody's.
  template <class Out, class... T>
  [[nodiscard]] RECAL_HOST_DEVICE int writer(Stretch stretch, Index k, const Out* out, const T*... in) const {
    constexpr int L = detail::vector_length<Out, T...>;
    const Index rest = vectors_end<L>(stretch, out, in...);
    if (k < stretch.begin || k >= stretch.end) return -1;
    return static_cast<int>(k < rest ? (k - stretch.begin) / L % width_ : (k - rest) % width_);
  }

  /// The first of `count` elements that equals `value`; `count` where none does.
  template <class T>
  [[nodiscard]] RECAL_HOST_DEVICE Index find(Index count, const T* plane, double value) const {
    Index first = count;
    for (Index k = lane(); k < count; k += width_)
      if (k < first && widen<double>(ctx_.load(plane + k)) == value) first = k;
    return smallest(first);
  }

 private:
  /// Where loads of 128 bits end, from the beginning of the stretch on: nowhere unless every address allows them.
  template <int L, class... T>
  [[nodiscard]] RECAL_HOST_DEVICE static Index vectors_end(Stretch stretch, const T*... in) {
    if (!(detail::aligned<L>(in + stretch.begin) && ...)) return stretch.begin;
    return stretch.begin + (stretch.end - stretch.begin) / L * L;
  }

  /// As cpu::detail::typical_element: where the median of the first, the middle and the last element stands.
  template <class A, class T, class... Others>
  [[nodiscard]] RECAL_HOST_DEVICE Index typical_element(Index count, const T* plane, const Others*...) const {
    const A first = widen<A>(ctx_.load(plane));
    const A middle = widen<A>(ctx_.load(plane + count / 2));
    const A last = widen<A>(ctx_.load(plane + count - 1));
    if ((first <= middle) == (middle <= last)) return count / 2;
    return (middle <= first) != (first <= last) ? count - 1 : 0;
  }

  template <class Reducer, class A, class... T>
  [[nodiscard]] RECAL_HOST_DEVICE auto gather(Index typical, Stretch stretch, const T*... in) const {
    constexpr int L = detail::vector_length<T...>;
    const auto start = Reducer::start(widen<A>(ctx_.load(in + typical))...);
    auto state = start;
    const Index rest = vectors_end<L>(stretch, in...);
    for (Index k = stretch.begin + lane() * L; k < rest; k += width_ * L)
      add_vector<Reducer, A, L>(state, ctx_.load(detail::as_vector<L>(in + k))...);
    for (Index k = rest + lane(); k < stretch.end; k += width_) Reducer::add(state, widen<A>(ctx_.load(in + k))...);
    return merge<Reducer, A>(start, state);
  }

  template <class Reducer, class A, int L, class... V>
  RECAL_HOST_DEVICE static void add_vector(detail::StateOf<Reducer, A>& state, const V&... vectors) {
    for (int l = 0; l < L; ++l) Reducer::add(state, widen<A>(vectors.lane[l])...);
  }

  template <class Out, class A, int L, class F, class... V>
  [[nodiscard]] RECAL_HOST_DEVICE static Vector<Out, L> map_vector(const F& f, const V&... vectors) {
    Vector<Out, L> out;
    for (int l = 0; l < L; ++l) out.lane[l] = narrow<Out>(f(widen<A>(vectors.lane[l])...));
    return out;
  }

  /// All threads' states merged, in a fixed order; `start` is the state of a thread that has seen nothing.
  template <class Reducer, class A>
  [[nodiscard]] RECAL_HOST_DEVICE auto merge(const detail::StateOf<Reducer, A>& start,
                                             const detail::StateOf<Reducer, A>& own) const {
    const auto of_warp = merge_warp<Reducer, A>(own);
    if (width_ == warp_lanes) return broadcast<Reducer, A>(of_warp);
    return merge_block<Reducer, A>(start, of_warp);
  }

  /// Right in the warp's first lane.
  template <class Reducer, class A>
  [[nodiscard]] RECAL_HOST_DEVICE auto merge_warp(detail::StateOf<Reducer, A> state) const {
    for (int by = warp_lanes / 2; by > 0; by /= 2) {
      auto numbers = detail::members<Reducer, A>(state);
      for (int m = 0; m < detail::state_size<Reducer>; ++m) numbers.value[m] = ctx_.shuffle_down(numbers.value[m], by);
      Reducer::merge(state, detail::state_of<Reducer, A>(numbers));
    }
    return state;
  }

  template <class Reducer, class A>
  [[nodiscard]] RECAL_HOST_DEVICE auto broadcast(const detail::StateOf<Reducer, A>& state) const {
    auto numbers = detail::members<Reducer, A>(state);
    for (int m = 0; m < detail::state_size<Reducer>; ++m) numbers.value[m] = ctx_.shuffle(numbers.value[m], 0);
    return detail::state_of<Reducer, A>(numbers);
  }

  /// The warps' states by way of shared memory: warp w leaves its own in place w, the first warp merges them and leaves
  /// the result in the last place. Two barriers are enough for call after call: who reads a place has passed a barrier
  /// since before it is written again.
  template <class Reducer, class A>
  [[nodiscard]] RECAL_HOST_DEVICE auto merge_block(const detail::StateOf<Reducer, A>& start,
                                                   const detail::StateOf<Reducer, A>& of_warp) const {
    constexpr int size = detail::state_size<Reducer>;
    const auto shared = ctx_.template shared<A>(0, (warp_lanes + 1) * size);
    const int warp = ctx_.thread() / warp_lanes;
    if (ctx_.thread() % warp_lanes == 0) put<Reducer, A>(shared, warp, of_warp);
    ctx_.barrier();
    if (warp == 0) {
      const bool there = ctx_.thread() < ctx_.threads() / warp_lanes;
      const auto all = merge_warp<Reducer, A>(there ? get<Reducer, A>(shared, ctx_.thread()) : start);
      if (ctx_.thread() == 0) put<Reducer, A>(shared, warp_lanes, all);
    }
    ctx_.barrier();
    return get<Reducer, A>(shared, warp_lanes);
  }

  template <class Reducer, class A, class Shared>
  RECAL_HOST_DEVICE static void put(const Shared& shared, int place, const detail::StateOf<Reducer, A>& state) {
    const auto numbers = detail::members<Reducer, A>(state);
    for (int m = 0; m < detail::state_size<Reducer>; ++m)
      shared.set(place * detail::state_size<Reducer> + m, numbers.value[m]);
  }

  template <class Reducer, class A, class Shared>
  [[nodiscard]] RECAL_HOST_DEVICE static auto get(const Shared& shared, int place) {
    detail::Members<Reducer, A> numbers;
    for (int m = 0; m < detail::state_size<Reducer>; ++m)
      numbers.value[m] = shared.get(place * detail::state_size<Reducer> + m);
    return detail::state_of<Reducer, A>(numbers);
  }

  template <class Reducer>
  [[nodiscard]] RECAL_HOST_DEVICE static bool finite(const detail::StateOf<Reducer, double>& state) {
    const auto numbers = detail::members<Reducer, double>(state);
    double zero = 0.0;  // else NaN
    for (int m = 0; m < detail::state_size<Reducer>; ++m) zero += 0.0 * numbers.value[m];
    return zero == 0.0;
  }

  /// The smallest of all threads' values; every thread gets it.
  [[nodiscard]] RECAL_HOST_DEVICE Index smallest(Index value) const {
    for (int by = warp_lanes / 2; by > 0; by /= 2) {
      const Index other = ctx_.shuffle_down(value, by);
      if (other < value) value = other;
    }
    if (width_ == warp_lanes) return ctx_.shuffle(value, 0);
    const int warps = ctx_.threads() / warp_lanes;
    const auto shared = ctx_.template shared<Index>(0, warps);
    ctx_.barrier();
    if (ctx_.thread() % warp_lanes == 0) shared.set(ctx_.thread() / warp_lanes, value);
    ctx_.barrier();
    Index least = shared.get(0);
    for (int w = 1; w < warps; ++w)
      if (shared.get(w) < least) least = shared.get(w);
    ctx_.barrier();
    return least;
  }

  const Context& ctx_;
  int width_;
};

}  // namespace recal::cuda
