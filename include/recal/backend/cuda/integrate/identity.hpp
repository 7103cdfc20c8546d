// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/integrate/integrate.hpp>

namespace recal::cuda {

/// z = t, one number per plane: recal::Identity.
struct Identity {
  static constexpr Mixing mixing = Mixing::none;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = NoTape;

  struct View {
    template <class Lanes>
    RECAL_HOST_DEVICE void forward(const Lanes& lanes, Index, Index rows, const double* t, double* z) const {
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) lanes.store(z + r, lanes.load(t + r));
    }
    template <class Lanes>
    RECAL_HOST_DEVICE void backward(const Lanes& lanes, Index, Index rows, const double*, const double* dz,
                                    double* dt) const {
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) lanes.store(dt + r, lanes.load(dz + r));
    }
  };

  template <Machine M>
  void begin(const M&, Index, Index, Tape&) const {}
  [[nodiscard]] View view(Pass, Tape&) const { return {}; }
  template <class Self, class V>
  static void visit(Self&, V&&) {}
};

}  // namespace recal::cuda
