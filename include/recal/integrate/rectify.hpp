// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/integrate/integrate.hpp>

namespace recal {

/// z = max(0, t), number by number; the gradient at 0 is 0.
struct Rectify {
  static constexpr Mixing mixing = Mixing::none;
  static constexpr bool planewise = true;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = NoTape;

  void infer(Index, std::span<const double> t, std::span<double> z) const {
    for (std::size_t i = 0; i < t.size(); ++i) z[i] = t[i] > 0 ? t[i] : 0;
  }
  void forward(Index group, std::span<const double> t, std::span<double> z, Tape&) { infer(group, t, z); }
  void backward(Index, std::span<const double> t, std::span<const double> dz, std::span<double> dt, Tape&) {
    for (std::size_t i = 0; i < t.size(); ++i) dt[i] = t[i] > 0 ? dz[i] : 0;
  }

  template <class Self, class V>
  static void visit(Self&, V&&) {}
};

}  // namespace recal
