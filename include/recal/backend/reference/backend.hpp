// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <recal/backend/backend.hpp>
#include <recal/core/scalar.hpp>

namespace recal {

/// The oracle: plain loops in double, one element after the other, phase after phase over the whole
/// tensor. What every other backend must equal.
struct Reference {
  struct Team {
    template <class T>
    using accumulator = double;

    template <class Reducer, class... T>
    [[nodiscard]] auto reduce(const Reducer&, Index count, const T*... in) const {
      auto state = Reducer::start(static_cast<double>(*in)...);
      for (Index k = 0; k < count; ++k) Reducer::add(state, static_cast<double>(in[k])...);
      return state;
    }

    template <class Out, class F, class... T>
    void map(Index count, Out* out, const F& f, const T*... in) const {
      for (Index k = 0; k < count; ++k) {
        const double value = f(static_cast<double>(in[k])...);
        if constexpr (std::is_arithmetic_v<Out>)
          out[k] = static_cast<Out>(value);
        else
          out[k] = Out(static_cast<float>(value));
      }
    }
  };

  static constexpr bool fuses_groups = false;

  template <class Program>
  void walk(Index groups, Index, const Program& program) const {
    for (Index g = 0; g < groups; ++g) program(Team{}, g);
  }
};

static_assert(Backend<Reference>);

}  // namespace recal
