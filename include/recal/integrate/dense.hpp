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

namespace detail {

/// `count` rows of numbers, `stride` apart.
template <class X>
struct Rows {
  Index count;
  X* first;
  Index stride;
  [[nodiscard]] X* operator[](Index row) const { return first + row * stride; }
};

/// The factor of row k of one side in row a of the other: first[a*to + k*from].
struct Factors {
  const double* first;
  Index from;
  Index to;
  [[nodiscard]] double operator()(Index a, Index k) const { return first[a * to + k * from]; }
};

/// sum[a][i] += factor(a, k) x[k][i] for i < count, A rows a from `a` on and K rows k from `k` on, in the order of k.
template <Index A, Index K, class X>
void add_some_products(Index count, const Rows<const X>& x, Index k, const Rows<double>& sum, Index a,
                       const Factors& factors) {
  using P = pack_for<double>;
  double factor[A][K];
  for (Index r = 0; r < A; ++r)
    for (Index j = 0; j < K; ++j) factor[r][j] = factors(a + r, k + j);
  const auto add = [&]<class Q>(Index i, Q) {
    Q all[A];
    for (Index r = 0; r < A; ++r) all[r] = load<Q>(sum[a + r] + i);
    for (Index j = 0; j < K; ++j) {
      const Q own = load<Q>(x[k + j] + i);
      for (Index r = 0; r < A; ++r) all[r] += Q(factor[r][j]) * own;
    }
    for (Index r = 0; r < A; ++r) store(sum[a + r] + i, all[r]);
  };
  Index i = 0;
  for (; i + P::lanes <= count; i += P::lanes) add(i, P(0));
  for (; i < count; ++i) add(i, 0.0);
}

/// The same for all rows.
template <class X>
void add_products(Index count, const Rows<const X>& x, const Rows<double>& sum, const Factors& factors) {
  constexpr Index some = 4;
  Index k = 0;
  for (; k + some <= x.count; k += some) {
    Index a = 0;
    for (; a + 2 <= sum.count; a += 2) add_some_products<2, some>(count, x, k, sum, a, factors);
    if (a < sum.count) add_some_products<1, some>(count, x, k, sum, a, factors);
  }
  for (; k < x.count; ++k)
    for (Index a = 0; a < sum.count; ++a) add_some_products<1, 1>(count, x, k, sum, a, factors);
}

}  // namespace detail

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
    constexpr Index some = 4;
    parallel_for((outputs() + some - 1) / some, grain(samples * inputs() * some), [&](Index b) {
      const Index first = b * some;
      const Index rest = outputs() - first;
      Index s = 0;
      if (rest >= some)
        for (; s + some <= samples; s += some)
          for (Index o = first; o < first + some; o += 2) dots<2, some>(o, s, x, y);
      for (; s < samples; ++s)
        if (rest >= some)
          dots<some, 1>(first, s, x, y);
        else
          for (Index o = first; o < outputs(); ++o) dots<1, 1>(o, s, x, y);
    });
  }

  /// x[s] = W^T y[s]. Each weight is read once.
  void apply_transposed(Index samples, std::span<const double> y, std::span<double> x) const {
    const Index blocks = (inputs() + block - 1) / block;
    parallel_for(blocks, grain(samples * outputs() * block), [&](Index b) {
      const Index first = b * block;
      const Index count = std::min(block, inputs() - first);
      for (Index s = 0; s < samples; ++s) std::fill_n(x.data() + s * inputs() + first, count, 0.0);
      detail::add_products(count, detail::Rows<const T>{outputs(), weight.value.data() + first, inputs()},
                           {samples, x.data() + first, inputs()}, {y.data(), 1, outputs()});
    });
  }

  /// dW[o,i] += sum_s dy[s,o] x[s,i];   db[o] += sum_s dy[s,o];   x (samples, I), dy (samples, O)
  void add_gradients(Index samples, std::span<const double> x, std::span<const double> dy) {
    constexpr Index some = 2;
    parallel_for((outputs() + some - 1) / some, grain(samples * inputs() * some), [&](Index b) {
      const Index first = b * some;
      const Index rows = std::min(some, outputs() - first);
      for (Index i = 0; i < inputs(); i += block) add_weight_gradients(samples, first, rows, i, x, dy);
      if (bias.size() > 0)
        for (Index o = first; o < first + rows; ++o) add_bias_gradient(samples, o, dy);
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

  void add_weight_gradients(Index samples, Index first, Index rows, Index input, std::span<const double> x,
                            std::span<const double> dy) {
    const Index count = std::min(block, inputs() - input);
    std::array<double, 2 * block> sums{};
    detail::add_products(count, detail::Rows<const double>{samples, x.data() + input, inputs()},
                         {rows, sums.data(), block}, {dy.data() + first, outputs(), 1});
    for (Index o = 0; o < rows; ++o) {
      T* dw = weight.grad.data() + (first + o) * inputs() + input;
      for (Index i = 0; i < count; ++i) dw[i] = static_cast<T>(static_cast<double>(dw[i]) + at(sums, o * block + i));
    }
  }

  void add_bias_gradient(Index samples, Index o, std::span<const double> dy) {
    double sum = 0;
    for (Index s = 0; s < samples; ++s) sum += at(dy, s * outputs() + o);
    at(bias.grad, o) += static_cast<T>(sum);
  }

  [[nodiscard]] const T* row(Index o) const { return weight.value.data() + o * inputs(); }

  [[nodiscard]] double offset(Index o) const { return bias.size() > 0 ? static_cast<double>(at(bias.value, o)) : 0; }

  /// O outputs from `o` on of S samples from `s` on, each summed up in the same order whatever O and S.
  template <Index O, Index S>
  void dots(Index o, Index s, std::span<const double> x, std::span<double> y) const {
    using P = pack_for<double>;
    const double* from = x.data() + s * inputs();
    P lanes[O][S];
    for (auto& of_output : lanes)
      for (P& sum : of_output) sum = P(0);
    Index i = 0;
    for (; i + P::lanes <= inputs(); i += P::lanes)
      for (Index r = 0; r < O; ++r) {
        const P w = load<P>(row(o + r) + i);
        for (Index k = 0; k < S; ++k) lanes[r][k] += w * load<P>(from + k * inputs() + i);
      }
    for (Index r = 0; r < O; ++r)
      for (Index k = 0; k < S; ++k) {
        double sum = 0;
        for (int lane = 0; lane < P::lanes; ++lane) sum += lanes[r][k].v[lane];
        for (Index rest = i; rest < inputs(); ++rest)
          sum += static_cast<double>(row(o + r)[rest]) * from[k * inputs() + rest];
        at(y, (s + k) * outputs() + o + r) = sum + offset(o + r);
      }
  }
};

}  // namespace recal
