// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/core/parallel.hpp>
#include <recal/core/parameter.hpp>
#include <recal/integrate/integrate.hpp>

namespace recal {

/// GCT's competition among channels: styles are weighted, then divided by their root mean square.
///   e[c] = alpha[c] t[c],   r = 1 / sqrt(mean_c e[c]^2 + eps),   z[c] = gamma[c] e[c] r + beta[c]
/// alpha starts at 1, gamma and beta at 0: the gate 1 + tanh(z) is the identity. beta does not decay.
/// source: Yang et al., "Gated Channel Transformation", CVPR 2020, section 3.2
template <class T>
struct ChannelContext {
  static constexpr Mixing mixing = Mixing::channels;
  static constexpr Index in = 1;
  static constexpr Index out = 1;

  struct Tape {
    Buffer<double> grad_e;   // (samples, C)
    Buffer<double> inverse;  // (samples): r
  };

  BasicParameter<T> alpha;
  BasicParameter<T> gamma;
  BasicParameter<T> beta;
  double eps = 1e-5;

  explicit ChannelContext(Index channels)
      : alpha("alpha", {channels}, T{1}), gamma("gamma", {channels}), beta("beta", {channels}, T{}, false) {}

  void begin(Index samples, Index channels, Mode, Tape& tape) const {
    resize(tape.grad_e, samples * channels);
    resize(tape.inverse, samples);
  }

  void infer(Index, std::span<const double> t, std::span<double> z) const {
    const double r = inverse_norm(t);
    for (std::size_t c = 0; c < t.size(); ++c) z[c] = value(gamma, c) * value(alpha, c) * t[c] * r + value(beta, c);
  }

  void forward(Index sample, std::span<const double> t, std::span<double> z, Tape& tape) {
    at(tape.inverse, sample) = inverse_norm(t);
    infer(sample, t, z);
  }

  void backward(Index sample, std::span<const double> t, std::span<const double> dz, std::span<double> dt, Tape& tape) {
    const double r = at(tape.inverse, sample);
    double along = 0;  // sum_c dz gamma e
    for (std::size_t c = 0; c < t.size(); ++c) along += dz[c] * value(gamma, c) * value(alpha, c) * t[c];
    const double shared = along * r * r * r / static_cast<double>(t.size());
    double* grad_e = tape.grad_e.data() + static_cast<std::size_t>(sample) * t.size();
    for (std::size_t c = 0; c < t.size(); ++c) {
      grad_e[c] = dz[c] * value(gamma, c) * r - shared * value(alpha, c) * t[c];
      dt[c] = grad_e[c] * value(alpha, c);
    }
  }

  void parameter_gradients(Index samples, std::span<const double> t, std::span<const double> dz, Tape& tape) {
    const Index channels = alpha.size();
    parallel_for(channels, Index{256}, [&](Index c) {
      double d_alpha = 0;
      double d_gamma = 0;
      double d_beta = 0;
      for (Index s = 0; s < samples; ++s) {
        const Index i = s * channels + c;
        d_alpha += at(tape.grad_e, i) * at(t, i);
        d_gamma += at(dz, i) * static_cast<double>(at(alpha.value, c)) * at(t, i) * at(tape.inverse, s);
        d_beta += at(dz, i);
      }
      at(alpha.grad, c) += static_cast<T>(d_alpha);
      at(gamma.grad, c) += static_cast<T>(d_gamma);
      at(beta.grad, c) += static_cast<T>(d_beta);
    });
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.alpha);
    v(self.gamma);
    v(self.beta);
  }

 private:
  static double value(const BasicParameter<T>& p, std::size_t c) { return static_cast<double>(p.value[c]); }

  [[nodiscard]] double inverse_norm(std::span<const double> t) const {
    double squares = 0;
    for (std::size_t c = 0; c < t.size(); ++c) squares += value(alpha, c) * t[c] * value(alpha, c) * t[c];
    return 1 / std::sqrt(squares / static_cast<double>(t.size()) + eps);
  }
};

}  // namespace recal
