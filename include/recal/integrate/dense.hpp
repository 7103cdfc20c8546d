// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

#include <recal/core/buffer.hpp>
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

  /// y[s] = W x[s] + b;   x (samples, I), y (samples, O). Each weight is read once.
  void apply(Index samples, std::span<const double> x, std::span<double> y) const {
    parallel_for(outputs(), grain(samples * inputs()), [&](Index o) {
      if (samples == 1) {
        at(y, o) = dot(row(o), x.data()) + offset(o);
        return;
      }
      thread_local Buffer<double> wide;
      widen(row(o), inputs(), wide);
      for (Index s = 0; s < samples; ++s)
        at(y, s * outputs() + o) = dot(wide.data(), x.data() + s * inputs()) + offset(o);
    });
  }

  /// x[s] = W^T y[s]. Each weight is read once.
  void apply_transposed(Index samples, std::span<const double> y, std::span<double> x) const {
    const Index blocks = (inputs() + block - 1) / block;
    parallel_for(blocks, grain(samples * outputs() * block), [&](Index b) {
      thread_local Buffer<double> wide;
      const Index first = b * block;
      const Index count = std::min(block, inputs() - first);
      for (Index s = 0; s < samples; ++s) std::fill_n(x.data() + s * inputs() + first, count, 0.0);
      for (Index o = 0; o < outputs(); ++o) {
        if (samples == 1) {
          add_scaled(count, at(y, o), row(o) + first, x.data() + first);
          continue;
        }
        widen(row(o) + first, count, wide);
        for (Index s = 0; s < samples; ++s)
          add_scaled(count, at(y, s * outputs() + o), wide.data(), x.data() + s * inputs() + first);
      }
    });
  }

  /// dW[o,i] += sum_s dy[s,o] x[s,i];   db[o] += sum_s dy[s,o];   x (samples, I), dy (samples, O)
  void add_gradients(Index samples, std::span<const double> x, std::span<const double> dy) {
    parallel_for(outputs(), grain(samples * inputs()), [&](Index o) {
      std::array<double, block> sums;
      for (Index first = 0; first < inputs(); first += block) {
        const Index count = std::min(block, inputs() - first);
        sums.fill(0.0);
        for (Index s = 0; s < samples; ++s)
          add_scaled(count, at(dy, s * outputs() + o), x.data() + s * inputs() + first, sums.data());
        T* dw = weight.grad.data() + o * inputs() + first;
        for (Index i = 0; i < count; ++i) dw[i] = static_cast<T>(static_cast<double>(dw[i]) + at(sums, i));
      }
      if (bias.size() == 0) return;
      double sum = 0;
      for (Index s = 0; s < samples; ++s) sum += at(dy, s * outputs() + o);
      at(bias.grad, o) += static_cast<T>(sum);
    });
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    if (self.bias.size() > 0) v(self.bias);
  }

 private:
  /// Inputs that are worked on together, so that their sums stay in the first cache.
  static constexpr Index block = 256;

  /// Calls of so many multiply-adds that are worth another thread.
  [[nodiscard]] static Index grain(Index multiply_adds) { return 1 + 65536 / (1 + multiply_adds); }

  static void widen(const T* from, Index count, Buffer<double>& to) {
    resize(to, count);
    for (Index i = 0; i < count; ++i) at(to, i) = static_cast<double>(from[i]);
  }

  /// sum += factor * x
  template <class X>
  static void add_scaled(Index count, double factor, const X* x, double* sum) {
    for (Index i = 0; i < count; ++i) sum[i] += factor * static_cast<double>(x[i]);
  }

  [[nodiscard]] const T* row(Index o) const { return weight.value.data() + o * inputs(); }

  [[nodiscard]] double offset(Index o) const { return bias.size() > 0 ? static_cast<double>(at(bias.value, o)) : 0; }

  template <class W>
  [[nodiscard]] double dot(const W* w, const double* x) const {
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
