// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include <recal/core/buffer.hpp>
#include <recal/core/error.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/parameter.hpp>
#include <recal/core/random.hpp>
#include <recal/integrate/dense_products.hpp>

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
    in_blocks(outputs(), samples * inputs(), [&](Index first, Index count) {
      for (Index s = 0; s < samples; ++s)
        for (Index o = first; o < first + count; ++o) at(y, s * outputs() + o) = offset(o);
      detail::add_all_dots(count, samples, inputs(), rows(weight.value).from(first, 0), {x.data(), inputs()},
                           {y.data() + first, outputs()});
    });
  }

  /// x[s] = W^T y[s]. Each weight is read once.
  void apply_transposed(Index samples, std::span<const double> y, std::span<double> x) const {
    in_blocks(inputs(), samples * outputs(), [&](Index first, Index count) {
      for (Index s = 0; s < samples; ++s) std::fill_n(x.data() + s * inputs() + first, count, 0.0);
      detail::add_products(samples, outputs(), count, {y.data(), outputs(), 1}, rows(weight.value).from(0, first),
                           detail::Rows<double>{x.data() + first, inputs()});
    });
  }

  /// dW[o,i] += sum_s dy[s,o] x[s,i];   db[o] += sum_s dy[s,o];   x (samples, I), dy (samples, O)
  void add_gradients(Index samples, std::span<const double> x, std::span<const double> dy) {
    in_blocks(outputs(), samples * inputs(), [&](Index first, Index count) {
      detail::add_products(count, samples, inputs(), {dy.data() + first, 1, outputs()},
                           detail::Rows<const double>{x.data(), inputs()},
                           detail::Rows<T>{weight.grad.data() + first * inputs(), inputs()});
      if (bias.size() > 0)
        for (Index o = first; o < first + count; ++o) add_bias_gradient(samples, o, dy);
    });
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    if (self.bias.size() > 0) v(self.bias);
  }

 private:
  /// Rows or columns of the weights that are worked on together.
  static constexpr Index block = 32;

  /// f(first, count) on blocks of `all`, of which each takes so many multiply-adds.
  template <class F>
  static void in_blocks(Index all, Index multiply_adds, const F& f) {
    const Index grain = 1 + 65536 / (1 + multiply_adds * block);
    parallel_for((all + block - 1) / block, grain, [&](Index b) { f(b * block, std::min(block, all - b * block)); });
  }

  [[nodiscard]] detail::Rows<const T> rows(const Buffer<T>& of) const { return {of.data(), inputs()}; }

  void add_bias_gradient(Index samples, Index o, std::span<const double> dy) {
    double sum = 0;
    for (Index s = 0; s < samples; ++s) sum += at(dy, s * outputs() + o);
    at(bias.grad, o) += static_cast<T>(sum);
  }

  [[nodiscard]] double offset(Index o) const { return bias.size() > 0 ? static_cast<double>(at(bias.value, o)) : 0; }
};

}  // namespace recal
