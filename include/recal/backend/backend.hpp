// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include <recal/core/shape.hpp>
#include <recal/core/tensor.hpp>

namespace recal {

/// The seam between modules and machines.
///
/// A module is a small program on a *group* of planes: those of one channel, of one sample, or a
/// single one. A backend runs the program for every group, a *team* (one thread on the CPU, the
/// threads of a block on a GPU) works through one group, and the team offers two things to do with a plane:
///
///   team.reduce(reducer, K, x, ...) -> State<double>
///       State = reducer.start(x_0, ...), then add(state, x_k, ...) for every k, parts merged by
///       merge(). A style pool is a reducer over one plane; Dots (core/dots.hpp) is one over two.
///   team.map(K, out, f, x, ...)
///       out_k = f(x_k, ...), `f` taking scalars or packs of them; out may be one of the inputs.
///   team.reduce_planes(reducer, K, planes, sink, PlaneSpan x, ...)      optional, for small planes side by side
///       sink(i, reduce of x[i], ...) for every i in [0, planes); whoever wants it calls recal::reduce_planes
///   team.map_each_plane(K, planes, out, of, x, ...)     optional, for planes that lie one after the other
///       map with of(i) on the i-th of them; whoever wants it calls recal::map_each_plane
///   team.read_next(x, count)                            optional, to know what will be read soon
///   Team::accumulator<T>
///       the type in which a tensor of T is computed; coefficients of `f` are converted to it
///
/// Everything between (statistics, integration, gates: N*C*D numbers) is plain double arithmetic.

namespace detail {

struct ArchetypeReducer {
  template <class A>
  struct State {
    A sum;
  };
  template <class A>
  static State<A> start(A typical) {
    return {typical};
  }
  template <class A>
  static void add(State<A>& s, A x) {
    s.sum += x;
  }
  template <class A>
  static void merge(State<A>& s, const State<A>& other) {
    s.sum += other.sum;
  }
};

struct ArchetypeMap {
  template <class A>
  A operator()(A x) const {
    return x;
  }
};

}  // namespace detail

template <class T>
concept Team = requires(const T& team, const float* in, float* out, Index count) {
  typename T::template accumulator<float>;
  { team.reduce(detail::ArchetypeReducer{}, count, in) } -> std::same_as<detail::ArchetypeReducer::State<double>>;
  team.map(count, out, detail::ArchetypeMap{}, in);
};

/// Where the next pass will write what it makes of the planes that this one reads: planes of so many bytes that lie one
/// after the other, or nothing that need be known. A member `written_next` of a sink of reduce_planes() tells a team
/// that wants to ask for that memory meanwhile.
struct WrittenNext {
  const std::byte* first = nullptr;
  Index plane_bytes = 0;
};

/// sink(i, State) of each of the first `planes` planes of K elements, in the team's own way or one by one.
template <Team M, class Reducer, class Sink, class... T>
void reduce_planes(const M& team, const Reducer& reducer, Index count, Index planes, const Sink& sink,
                   PlaneSpan<T>... in) {
  if constexpr (requires { team.reduce_planes(reducer, count, planes, sink, in...); })
    team.reduce_planes(reducer, count, planes, sink, in...);
  else
    for (Index i = 0; i < planes; ++i)
      sink(i, team.reduce(reducer, count, static_cast<const std::remove_const_t<T>*>(in[i])...));
}

/// Tells a team that wants to know that so many elements will be read soon. Inlined, for GCC drops calls that do
/// nothing but ask for memory.
template <Team M, class T>
[[gnu::always_inline]] inline void read_next(const M& team, const T* from, Index count) {
  if constexpr (requires { team.read_next(from, count); }) team.read_next(from, count);
}

namespace detail {

/// Whether planes of `count` elements lie one after the other.
template <class... T>
[[nodiscard]] bool dense(Index count, const PlaneSpan<T>&... planes) {
  return ((planes.stride == count) && ...);
}

}  // namespace detail

/// out[i] = f(in[i]...) element by element on each of the first `planes` planes; on all at once where they lie one
/// after the other.
template <Team M, class Out, class F, class... T>
void map_planes(const M& team, Index count, Index planes, PlaneSpan<Out> out, const F& f, PlaneSpan<T>... in) {
  if (detail::dense(count, out, in...))
    team.map(count * planes, out.first, f, static_cast<const std::remove_const_t<T>*>(in.first)...);
  else
    for (Index i = 0; i < planes; ++i) team.map(count, out[i], f, static_cast<const std::remove_const_t<T>*>(in[i])...);
}

/// out[i] = of(i)(in[i]...) element by element on each of the first `planes` planes, in the team's own way where they
/// lie one after the other and it has one.
template <Team M, class Out, class Of, class... T>
void map_each_plane(const M& team, Index count, Index planes, PlaneSpan<Out> out, const Of& of, PlaneSpan<T>... in) {
  if constexpr (requires {
                  team.map_each_plane(count, planes, out.first, of,
                                      static_cast<const std::remove_const_t<T>*>(in.first)...);
                })
    if (detail::dense(count, out, in...))
      return team.map_each_plane(count, planes, out.first, of, static_cast<const std::remove_const_t<T>*>(in.first)...);
  for (Index i = 0; i < planes; ++i)
    team.map(count, out[i], of(i), static_cast<const std::remove_const_t<T>*>(in[i])...);
}

/// A machine that runs programs on groups of planes.
///   backend.walk(groups, elements, program)
///       calls program(team, g) once for each g in [0, groups), in any order and at once; `elements`
///       is the size of one group, for cutting the work. No two groups may write the same element.
///   B::fuses_groups: whether a group's planes stay near (cache, shared memory) from one phase of a
///       program to the next, so that all phases should run group by group; otherwise phase by phase.
template <class B>
concept Backend = requires(const B& backend, Index count) {
  typename B::Team;
  requires Team<typename B::Team>;
  { B::fuses_groups } -> std::convertible_to<bool>;
  backend.walk(count, count, [](const typename B::Team&, Index) {});
};

}  // namespace recal
