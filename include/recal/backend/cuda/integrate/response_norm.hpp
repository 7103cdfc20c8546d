// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/integrate/integrate.hpp>

namespace recal::cuda {

/// GRN's comparison of each channel with the mean of all: recal::ResponseNorm.
///   s = 1 / (mean_c t[c] + eps),   z[c] = (weight[c] t[c] s, bias[c])
struct ResponseNorm {
  static constexpr Mixing mixing = Mixing::channels;
  static constexpr Index in = 1;
  static constexpr Index out = 2;

  struct Tape {
    DeviceBuffer<double> inverse;  // (samples): s
  };

  struct View {
    ParameterView weight;
    ParameterView bias;
    double* inverse;
    double eps;

    template <class Lanes>
    RECAL_HOST_DEVICE void forward(const Lanes& lanes, Index sample, Index rows, const double* t, double* z) const {
      double sum = 0;
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes()) sum += lanes.load(t + c);
      const double s = 1 / (lanes.sum(sum) / static_cast<double>(rows) + eps);
      if (lanes.lane() == 0) lanes.store(inverse + sample, s);
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes()) {
        lanes.store(z + 2 * c, weight.get(lanes, c) * lanes.load(t + c) * s);
        lanes.store(z + 2 * c + 1, bias.get(lanes, c));
      }
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void backward(const Lanes& lanes, Index sample, Index rows, const double* t, const double* dz,
                                    double* dt) const {
      const double s = lanes.load(inverse + sample);
      double along = 0;
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes())
        along += lanes.load(dz + 2 * c) * weight.get(lanes, c) * lanes.load(t + c);
      const double shared = lanes.sum(along) * s * s / static_cast<double>(rows);
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes())
        lanes.store(dt + c, lanes.load(dz + 2 * c) * weight.get(lanes, c) * s - shared);
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void gradients(const Lanes& lanes, Index block, Index blocks, Index groups, Index rows,
                                     const double* t, const double* dz) const {
      for (Index c = block * lanes.lanes() + lanes.lane(); c < rows; c += blocks * lanes.lanes()) {
        double d_weight = 0;
        double d_bias = 0;
        for (Index s = 0; s < groups; ++s) {
          d_weight += lanes.load(dz + 2 * (s * rows + c)) * lanes.load(t + s * rows + c) * lanes.load(inverse + s);
          d_bias += lanes.load(dz + 2 * (s * rows + c) + 1);
        }
        weight.add_gradient(lanes, c, d_weight);
        bias.add_gradient(lanes, c, d_bias);
      }
    }

    [[nodiscard]] Index gradient_blocks(Index rows) const { return (rows + 255) / 256; }
  };

  DeviceParameter weight;
  DeviceParameter bias;
  double eps = 1e-6;

  template <Machine M>
  ResponseNorm(const M& machine, Index channels)
      : weight(machine, {"weight", {channels}}), bias(machine, {"bias", {channels}}) {}

  template <Machine M>
  void begin(const M& machine, Index samples, Index, Tape& tape) const {
    tape.inverse.resize(machine, samples);
  }

  [[nodiscard]] View view(Pass, Tape& tape) const {
    return {view_of_parameter(weight), view_of_parameter(bias), tape.inverse.data(), eps};
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.bias);
  }
};

}  // namespace recal::cuda
