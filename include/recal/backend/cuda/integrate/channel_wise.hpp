// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/integrate/integrate.hpp>

namespace recal::cuda {

/// One weight per channel and style number: recal::ChannelWise.
///   z[n,c] = sum_d w[c,d] t[n,c,d]
template <Index D>
struct ChannelWise {
  static constexpr Mixing mixing = Mixing::samples;
  static constexpr Index in = D;
  static constexpr Index out = 1;
  using Tape = NoTape;

  struct View {
    ParameterView cfc;

    template <class Lanes>
    RECAL_HOST_DEVICE void forward(const Lanes& lanes, Index channel, Index rows, const double* t, double* z) const {
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) {
        double sum = 0;
        for (Index d = 0; d < D; ++d) sum += cfc.get(lanes, channel * D + d) * lanes.load(t + r * D + d);
        lanes.store(z + r, sum);
      }
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void backward(const Lanes& lanes, Index channel, Index rows, const double* t, const double* dz,
                                    double* dt) const {
      for (Index d = 0; d < D; ++d) {
        double sum = 0;
        for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) {
          sum += lanes.load(dz + r) * lanes.load(t + r * D + d);
          lanes.store(dt + r * D + d, lanes.load(dz + r) * cfc.get(lanes, channel * D + d));
        }
        sum = lanes.sum(sum);
        if (lanes.lane() == 0) cfc.add_gradient(lanes, channel * D + d, sum);
      }
    }
  };

  DeviceParameter cfc;

  template <Machine M>
  ChannelWise(const M& machine, Index channels) : cfc(machine, {"cfc", {channels, D}, 0.0F, false}) {}

  template <Machine M>
  void begin(const M&, Index, Index, Tape&) const {}
  [[nodiscard]] View view(Pass, Tape&) const { return {view_of_parameter(cfc)}; }
  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.cfc);
  }
};

}  // namespace recal::cuda
