// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/integrate/integrate.hpp>

namespace recal {

/// z = t: no parameters. The excite of GE-theta-minus.
struct Identity {
  static constexpr Mixing mixing = Mixing::none;
  static constexpr bool planewise = true;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = NoTape;

  void infer(Index, std::span<const double> t, std::span<double> z) const { std::ranges::copy(t, z.begin()); }
  void forward(Index, std::span<const double> t, std::span<double> z, Tape&) { std::ranges::copy(t, z.begin()); }
  void backward(Index, std::span<const double>, std::span<const double> dz, std::span<double> dt, Tape&) {
    std::ranges::copy(dz, dt.begin());
  }

  template <class Self, class V>
  static void visit(Self&, V&&) {}
};

}  // namespace recal
