// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/backend/cuda/integrate/integrate.hpp>

namespace recal::cuda {

/// GCT's competition among channels: recal::ChannelContext.
///   e[c] = alpha[c] t[c],   r = 1 / sqrt(mean_c e[c]^2 + eps),   z[c] = gamma[c] e[c] r + beta[c]
struct ChannelContext {
  static constexpr Mixing mixing = Mixing::channels;
  static constexpr Index in = 1;
  static constexpr Index out = 1;

  struct Tape {
    DeviceBuffer<double> grad_e;   // (samples, C)
    DeviceBuffer<double> inverse;  // (samples): r
  };

  struct View {
    ParameterView alpha;
    ParameterView gamma;
    ParameterView beta;
    double* grad_e;
    double* inverse;
    double eps;

    template <class Lanes>
    RECAL_HOST_DEVICE void forward(const Lanes& lanes, Index sample, Index rows, const double* t, double* z) const {
      double squares = 0;
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes()) {
        const double e = alpha.get(lanes, c) * lanes.load(t + c);
        squares += e * e;
      }
      const double r = 1 / std::sqrt(lanes.sum(squares) / static_cast<double>(rows) + eps);
      if (lanes.lane() == 0) lanes.store(inverse + sample, r);
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes())
        lanes.store(z + c, gamma.get(lanes, c) * alpha.get(lanes, c) * lanes.load(t + c) * r + beta.get(lanes, c));
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void backward(const Lanes& lanes, Index sample, Index rows, const double* t, const double* dz,
                                    double* dt) const {
      const double r = lanes.load(inverse + sample);
      double along = 0;  // sum_c dz gamma e
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes())
        along += lanes.load(dz + c) * gamma.get(lanes, c) * alpha.get(lanes, c) * lanes.load(t + c);
      const double shared = lanes.sum(along) * r * r * r / static_cast<double>(rows);
      for (Index c = lanes.lane(); c < rows; c += lanes.lanes()) {
        const double a = alpha.get(lanes, c);
        const double grad = lanes.load(dz + c) * gamma.get(lanes, c) * r - shared * a * lanes.load(t + c);
        lanes.store(grad_e + sample * rows + c, grad);
        lanes.store(dt + c, grad * a);
      }
    }

    template <class Lanes>
    RECAL_HOST_DEVICE void gradients(const Lanes& lanes, Index block, Index blocks, Index groups, Index rows,
                                     const double* t, const double* dz) const {
      for (Index c = block * lanes.lanes() + lanes.lane(); c < rows; c += blocks * lanes.lanes()) {
        double d_alpha = 0;
        double d_gamma = 0;
        double d_beta = 0;
        for (Index s = 0; s < groups; ++s) {
          const Index i = s * rows + c;
          d_alpha += lanes.load(grad_e + i) * lanes.load(t + i);
          d_gamma += lanes.load(dz + i) * alpha.get(lanes, c) * lanes.load(t + i) * lanes.load(inverse + s);
          d_beta += lanes.load(dz + i);
        }
        alpha.add_gradient(lanes, c, d_alpha);
        gamma.add_gradient(lanes, c, d_gamma);
        beta.add_gradient(lanes, c, d_beta);
      }
    }

    [[nodiscard]] Index gradient_blocks(Index rows) const { return (rows + 255) / 256; }
  };

  DeviceParameter alpha;
  DeviceParameter gamma;
  DeviceParameter beta;
  double eps = 1e-5;

  template <Machine M>
  ChannelContext(const M& machine, Index channels)
      : alpha(machine, {"alpha", {channels}, 1.0F}),
        gamma(machine, {"gamma", {channels}}),
        beta(machine, {"beta", {channels}, 0.0F, false}) {}

  template <Machine M>
  void begin(const M& machine, Index samples, Index channels, Tape& tape) const {
    tape.grad_e.resize(machine, samples * channels);
    tape.inverse.resize(machine, samples);
  }

  [[nodiscard]] View view(Pass, Tape& tape) const {
    return {view_of_parameter(alpha), view_of_parameter(gamma), view_of_parameter(beta),
            tape.grad_e.data(),       tape.inverse.data(),      eps};
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.alpha);
    v(self.gamma);
    v(self.beta);
  }
};

}  // namespace recal::cuda
