// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/integrate/integrate.hpp>

namespace recal::cuda {

/// One short filter over neighbouring channels, shared by all: recal::ChannelBand.
struct ChannelBand {
  static constexpr Mixing mixing = Mixing::channels;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = NoTape;

  struct View {
    ParameterView weight;
    Index width;

    template <class Lanes>
    RECAL_HOST_DEVICE void forward(const Lanes& lanes, Index, Index rows, const double* t, double* z) const {
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes()) {
        double sum = 0;
        for (Index j = 0; j < width; ++j)
          if (const Index from = c + j - reach(); from >= 0 && from < rows)
            sum += weight.get(lanes, j) * lanes.load(t + from);
        lanes.store(z + c, sum);
      }
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void backward(const Lanes& lanes, Index, Index rows, const double*, const double* dz,
                                    double* dt) const {
      for (Index from = lanes.lane(); from < rows; from += lanes.lanes()) {
        double sum = 0;
        for (Index j = 0; j < width; ++j)
          if (const Index c = from - j + reach(); c >= 0 && c < rows) sum += weight.get(lanes, j) * lanes.load(dz + c);
        lanes.store(dt + from, sum);
      }
    }

    /// A block has every blocks'th tap.
    template <class Lanes>
    RECAL_HOST_DEVICE void gradients(const Lanes& lanes, Index block, Index blocks, Index groups, Index rows,
                                     const double* t, const double* dz) const {
      for (Index j = block; j < width; j += blocks) {
        double sum = 0;
        for (Index i = lanes.lane(); i < groups * rows; i += lanes.lanes())
          if (const Index from = i % rows + j - reach(); from >= 0 && from < rows)
            sum += lanes.load(dz + i) * lanes.load(t + (i - i % rows + from));
        sum = lanes.sum(sum);
        if (lanes.lane() == 0) weight.add_gradient(lanes, j, sum);
      }
    }

    [[nodiscard]] Index gradient_blocks(Index) const { return width; }

   private:
    [[nodiscard]] RECAL_HOST_DEVICE Index reach() const { return (width - 1) / 2; }
  };

  DeviceParameter weight;

  /// Weights start at 0; copy_parameters_to_device() brings others.
  /// errors: an even or non-positive width
  template <Machine M>
  ChannelBand(const M& machine, Index width) {
    check(width >= 1 && width % 2 == 1, "a filter over channels needs an odd width, found ", width);
    weight = {machine, {"conv.weight", {1, 1, width}}};
  }

  template <Machine M>
  void begin(const M&, Index, Index, Tape&) const {}
  [[nodiscard]] View view(Pass, Tape&) const { return {view_of_parameter(weight), weight.size()}; }
  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
  }
};

}  // namespace recal::cuda
