// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include <recal/core/error.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/parameter.hpp>
#include <recal/core/random.hpp>

namespace recal {

/// A dense layer on vectors of doubles, the building stone of integrations: y = W x + b.
///   W (O, I) named "weight", b (O) named "bias" (absent if `biased` is false)
/// Weights start evenly spread over +-1/sqrt(I) (PyTorch's default), from `seed`.
template <class T>
struct DenseLayer {
  BasicParameter<T> weight;
  BasicParameter<T> bias;

  DenseLayer(Index inputs, Index outputs, bool biased = true, bool decay_bias = true, std::uint64_t seed = 0) {
    check(inputs >= 1 && outputs >= 1, "a dense layer needs at least 1 input and 1 output, found ", inputs, " and ",
          outputs);
    weight = {"weight", {outputs, inputs}};
    if (biased) bias = {"bias", {outputs}, T{}, decay_bias};
    const double bound = 1 / std::sqrt(static_cast<double>(inputs));
    spread_evenly(weight, bound, random_bits(seed, 0));
    spread_evenly(bias, bound, random_bits(seed, 1));
  }

  [[nodiscard]] Index inputs() const { return weight.shape[1]; }
  [[nodiscard]] Index outputs() const { return weight.shape[0]; }

  /// y = W x + b
  void apply(std::span<const double> x, std::span<double> y) const {
    for (Index o = 0; o < outputs(); ++o) at(y, o) = dot(row(o), x.data()) + offset(o);
  }

  /// x = W^T y
  void apply_transposed(std::span<const double> y, std::span<double> x) const {
    for (double& value : x) value = 0;
    for (Index o = 0; o < outputs(); ++o) {
      const T* w = row(o);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += at(y, o) * static_cast<double>(w[i]);
    }
  }

  /// dW[o,i] += sum_s dy[s,o] x[s,i];   db[o] += sum_s dy[s,o];   x (samples, I), dy (samples, O)
  void add_gradients(Index samples, std::span<const double> x, std::span<const double> dy) {
    parallel_for(outputs(), Index{8}, [&](Index o) {
      T* dw = weight.grad.data() + o * inputs();
      double sum = 0;
      for (Index s = 0; s < samples; ++s) {
        const double g = at(dy, s * outputs() + o);
        const double* xs = x.data() + s * inputs();
        sum += g;
        for (Index i = 0; i < inputs(); ++i) dw[i] = static_cast<T>(static_cast<double>(dw[i]) + g * xs[i]);
      }
      if (bias.size() > 0) at(bias.grad, o) += static_cast<T>(sum);
    });
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    if (self.bias.size() > 0) v(self.bias);
  }

 private:
  [[nodiscard]] const T* row(Index o) const { return weight.value.data() + o * inputs(); }

  [[nodiscard]] double offset(Index o) const { return bias.size() > 0 ? static_cast<double>(at(bias.value, o)) : 0; }

  [[nodiscard]] double dot(const T* w, const double* x) const {
    using P = pack_for<double>;
    P lanes[2] = {P(0), P(0)};
    Index i = 0;
    for (; i + 2 * P::lanes <= inputs(); i += 2 * P::lanes)
      for (int s = 0; s < 2; ++s) lanes[s] += load<P>(w + i + s * P::lanes) * load<P>(x + i + s * P::lanes);
    lanes[0] += lanes[1];
    double sum = 0;
    for (int lane = 0; lane < P::lanes; ++lane) sum += lanes[0].v[lane];
    for (; i < inputs(); ++i) sum += static_cast<double>(w[i]) * x[i];
    return sum;
  }
};

}  // namespace recal
