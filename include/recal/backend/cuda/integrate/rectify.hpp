// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/integrate/integrate.hpp>

namespace recal::cuda {

/// z = max(0, t), number by number; the gradient at 0 is 0: recal::Rectify.
struct Rectify {
  static constexpr Mixing mixing = Mixing::none;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = NoTape;

  struct View {
    template <class Lanes>
    RECAL_HOST_DEVICE void forward(const Lanes& lanes, Index, Index rows, const double* t, double* z) const {
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) {
        const double value = lanes.load(t + r);
        lanes.store(z + r, value > 0 ? value : 0.0);
      }
    }
    template <class Lanes>
    RECAL_HOST_DEVICE void backward(const Lanes& lanes, Index, Index rows, const double* t, const double* dz,
                                    double* dt) const {
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes())
        lanes.store(dt + r, lanes.load(t + r) > 0 ? lanes.load(dz + r) : 0.0);
    }
  };

  template <Machine M>
  void begin(const M&, Index, Index, Tape&) const {}
  [[nodiscard]] View view(Pass, Tape&) const { return {}; }
  template <class Self, class V>
  static void visit(Self&, V&&) {}
};

}  // namespace recal::cuda
