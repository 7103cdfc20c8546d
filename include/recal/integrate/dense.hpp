// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <span>

#include <recal/core/buffer.hpp>
#include <recal/core/error.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/parameter.hpp>
#include <recal/core/random.hpp>
#include <recal/integrate/dense_products.hpp>
#include <recal/integrate/narrowed.hpp>

namespace recal {

/// A dense layer on vectors of doubles, the building stone of integrations: y = W x + b.
///   W (O, I) named "weight", b (O) named "bias" (absent if `biased` is false)
/// Numbers are multiplied in T and their sums move on into double every few hundred steps. Where that overflows, all of
/// it happens in double: finite numbers give no NaN.
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
    apply_in<T>(samples, x, y);
    if (!std::same_as<T, double> && !detail::all_finite(y)) [[unlikely]]
      apply_in<double>(samples, x, y);
  }

  /// x[s] = W^T y[s]. Each weight is read once.
  void apply_transposed(Index samples, std::span<const double> y, std::span<double> x) const {
    apply_transposed_in<T>(samples, y, x);
    if (!std::same_as<T, double> && !detail::all_finite(x)) [[unlikely]]
      apply_transposed_in<double>(samples, y, x);
  }

  /// dW[o,i] += sum_s dy[s,o] x[s,i];   db[o] += sum_s dy[s,o];   x (samples, I), dy (samples, O)
  void add_gradients(Index samples, std::span<const double> x, std::span<const double> dy) {
    if (std::same_as<T, double> || detail::products_fit<T>(samples, x, dy)) [[likely]]
      add_weight_gradient_in<T>(samples, x, dy);
    else
      add_weight_gradient_in<double>(samples, x, dy);
    for (Index o = 0; o < bias.size(); ++o) add_bias_gradient(samples, o, dy);
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

  using Doubles = detail::Rows<const double>;

  template <class A>
  void apply_in(Index samples, std::span<const double> x, std::span<double> y) const {
    in_blocks(outputs(), samples * inputs(), [&](Index first, Index count) {
      detail::Narrowed<A> own_x(samples, inputs(), Doubles{x.data(), inputs()});
      for (Index s = 0; s < samples; ++s)
        for (Index o = first; o < first + count; ++o) at(y, s * outputs() + o) = offset(o);
      detail::add_all_dots(count, samples, inputs(), weights().from(first, 0), own_x.rows(),
                           {y.data() + first, outputs()});
    });
  }

  template <class A>
  void apply_transposed_in(Index samples, std::span<const double> y, std::span<double> x) const {
    in_blocks(inputs(), samples * outputs(), [&](Index first, Index count) {
      detail::Narrowed<A> own_y(samples, outputs(), Doubles{y.data(), outputs()});
      for (Index s = 0; s < samples; ++s) std::fill_n(x.data() + s * inputs() + first, count, 0.0);
      detail::add_products(samples, outputs(), count, detail::by_row(own_y.rows()), weights().from(0, first),
                           detail::Rows<double>{x.data() + first, inputs()});
    });
  }

  template <class A>
  void add_weight_gradient_in(Index samples, std::span<const double> x, std::span<const double> dy) {
    in_blocks(outputs(), samples * inputs(), [&](Index first, Index count) {
      detail::Narrowed<A> own_x(samples, inputs(), Doubles{x.data(), inputs()});
      detail::Narrowed<A> own_dy(samples, count, Doubles{dy.data() + first, outputs()});
      detail::add_products(count, samples, inputs(), detail::by_column(own_dy.rows()), own_x.rows(),
                           detail::Rows<T>{weight.grad.data() + first * inputs(), inputs()});
    });
  }

  [[nodiscard]] detail::Rows<const T> weights() const { return {weight.value.data(), inputs()}; }

  void add_bias_gradient(Index samples, Index o, std::span<const double> dy) {
    double sum = 0;
    for (Index s = 0; s < samples; ++s) sum += at(dy, s * outputs() + o);
    at(bias.grad, o) += static_cast<T>(sum);
  }

  [[nodiscard]] double offset(Index o) const { return bias.size() > 0 ? static_cast<double>(at(bias.value, o)) : 0; }
};

}  // namespace recal
