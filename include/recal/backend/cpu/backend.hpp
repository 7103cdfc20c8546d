// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/backend.hpp>
#include <recal/backend/cpu/lines.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/core/parallel.hpp>

namespace recal {

/// The processor: groups run in parallel, each on one thread with its planes hot in cache.
struct Cpu {
  struct Team {
    template <class T>
    using accumulator = accumulator_t<T>;

    template <class Reducer, class... T>
    [[nodiscard]] auto reduce(const Reducer& reducer, Index count, const T*... in) const {
      return cpu::reduce(reducer, count, in...);
    }

    template <class Reducer, class Sink, class... T>
    void reduce_planes(const Reducer& reducer, Index count, Index planes, const Sink& sink, PlaneSpan<T>... in) const {
      cpu::reduce_planes(reducer, count, planes, sink, in...);
    }

    template <class T>
    [[gnu::always_inline]] void read_next(const T* from, Index count) const {
      cpu::ask_for_lines<cpu::ToReadLater>(from, count);
    }

    template <class Out, class F, class... T>
    void map(Index count, Out* out, const F& f, const T*... in) const {
      cpu::map(count, out, f, in...);
    }

    template <class Out, class Of, class... T>
    void map_each_plane(Index count, Index planes, Out* out, const Of& of, const T*... in) const {
      cpu::map_each_plane(count, planes, out, of, in...);
    }
  };

  static constexpr bool fuses_groups = true;

  /// Elements below which a piece of work is not worth handing to another thread.
  static constexpr Index elements_per_piece = 16384;

  template <class Program>
  void walk(Index groups, Index elements, const Program& program) const {
    const Index grain = elements > 0 ? (elements_per_piece + elements - 1) / elements : groups;
    parallel_for(groups, grain, [&program](Index g) { program(Team{}, g); });
  }
};

static_assert(Backend<Cpu>);

}  // namespace recal
