// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <recal/core/shape.hpp>

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
