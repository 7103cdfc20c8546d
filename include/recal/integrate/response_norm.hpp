// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/parallel.hpp>
#include <recal/core/parameter.hpp>
#include <recal/integrate/integrate.hpp>

namespace recal {

/// GRN's comparison of each channel with the mean of all.
///   s = 1 / (mean_c t[c] + eps),   z[c] = (weight[c] t[c] s, bias[c])
/// weight and bias start at 0: with the gate ResidualAffine the module is the identity.
/// The code's mean, not the paper's sum, divides.
/// source: Woo et al., "ConvNeXt V2", CVPR 2023, section 3.2
template <class T>
struct ResponseNorm {
  static constexpr Mixing mixing = Mixing::channels;
  static constexpr Index in = 1;
  static constexpr Index out = 2;
  using Tape = NoTape;

  BasicParameter<T> weight;
  BasicParameter<T> bias;
  double eps = 1e-6;

  explicit ResponseNorm(Index channels) : weight("weight", {channels}), bias("bias", {channels}) {}

  void infer(Index, std::span<const double> t, std::span<double> z) const {
    const double s = inverse_mean(t);
    for (std::size_t c = 0; c < t.size(); ++c) {
      z[2 * c] = static_cast<double>(weight.value[c]) * t[c] * s;
      z[2 * c + 1] = static_cast<double>(bias.value[c]);
    }
  }

  void forward(Index sample, std::span<const double> t, std::span<double> z, Tape&) { infer(sample, t, z); }

  void backward(Index, std::span<const double> t, std::span<const double> dz, std::span<double> dt, Tape&) {
    const double s = inverse_mean(t);
    double along = 0;
    for (std::size_t c = 0; c < t.size(); ++c) along += dz[2 * c] * static_cast<double>(weight.value[c]) * t[c];
    const double shared = along * s * s / static_cast<double>(t.size());
    for (std::size_t c = 0; c < t.size(); ++c) dt[c] = dz[2 * c] * static_cast<double>(weight.value[c]) * s - shared;
  }

  void parameter_gradients(Index samples, std::span<const double> t, std::span<const double> dz, Tape&) {
    const Index channels = weight.size();
    Buffer<double> inverse;
    for (Index s = 0; s < samples; ++s)
      inverse.push_back(
          inverse_mean(t.subspan(static_cast<std::size_t>(s * channels), static_cast<std::size_t>(channels))));
    parallel_for(channels, Index{256}, [&](Index c) {
      double d_weight = 0;
      double d_bias = 0;
      for (Index s = 0; s < samples; ++s) {
        d_weight += at(dz, 2 * (s * channels + c)) * at(t, s * channels + c) * at(inverse, s);
        d_bias += at(dz, 2 * (s * channels + c) + 1);
      }
      at(weight.grad, c) += static_cast<T>(d_weight);
      at(bias.grad, c) += static_cast<T>(d_bias);
    });
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.bias);
  }

 private:
  [[nodiscard]] double inverse_mean(std::span<const double> t) const {
    double sum = 0;
    for (const double norm : t) sum += norm;
    return 1 / (sum / static_cast<double>(t.size()) + eps);
  }
};

}  // namespace recal
