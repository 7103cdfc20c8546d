// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <recal/core/buffer.hpp>
#include <recal/core/error.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/parameter.hpp>
#include <recal/integrate/integrate.hpp>

namespace recal {

/// One short filter over neighbouring channels, shared by all: ECA's local cross-channel interaction.
///   z[c] = sum_j w[j] t[c + j - (k-1)/2],  j = 0..k-1, zeros outside;   w (1, 1, k), no bias
/// source: Wang et al., "ECA-Net", CVPR 2020, section 3.2
template <class T>
struct ChannelBand {
  static constexpr Mixing mixing = Mixing::channels;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = NoTape;

  BasicParameter<T> weight;

  /// The paper's width for C channels: the odd number at or above |log2(C) + 1| / 2, at least 3.
  /// errors: no channels
  [[nodiscard]] static Index width_for(Index channels) {
    check(channels >= 1, "a filter over channels needs at least 1 channel, found ", channels);
    const auto t = static_cast<Index>((std::log2(static_cast<double>(channels)) + 1) / 2);
    return std::max<Index>(3, t % 2 == 1 ? t : t + 1);
  }

  /// errors: an even or non-positive width
  explicit ChannelBand(Index width, std::uint64_t seed = 0) : weight("conv.weight", {1, 1, std::max<Index>(width, 1)}) {
    check(width >= 1 && width % 2 == 1, "a filter over channels needs an odd width, found ", width);
    spread_evenly(weight, 1 / std::sqrt(static_cast<double>(width)), seed);
  }

  void infer(Index, std::span<const double> t, std::span<double> z) const {
    std::ranges::fill(z, 0.0);
    for_each_tap(static_cast<Index>(z.size()), [&](Index tap, Index first, Index last, Index offset) {
      add_scaled(last - first, weight_of(tap), t.data() + first + offset, z.data() + first);
    });
  }

  void forward(Index sample, std::span<const double> t, std::span<double> z, Tape&) { infer(sample, t, z); }

  void backward(Index, std::span<const double>, std::span<const double> dz, std::span<double> dt, Tape&) {
    std::ranges::fill(dt, 0.0);
    for_each_tap(static_cast<Index>(dz.size()), [&](Index tap, Index first, Index last, Index offset) {
      add_scaled(last - first, weight_of(tap), dz.data() + first, dt.data() + first + offset);
    });
  }

  void parameter_gradients(Index samples, std::span<const double> t, std::span<const double> dz, Tape&) {
    if (samples == 0) return;
    const Index channels = static_cast<Index>(t.size()) / samples;
    for_each_tap(channels, [&](Index tap, Index first, Index last, Index offset) {
      double sum = 0;
      for (Index s = 0; s < samples; ++s)
        sum += dot(last - first, dz.data() + s * channels + first, t.data() + s * channels + first + offset);
      at(weight.grad, tap) += static_cast<T>(sum);
    });
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
  }

 private:
  [[nodiscard]] double weight_of(Index tap) const { return static_cast<double>(at(weight.value, tap)); }

  /// f(tap, first, last, offset): the channels [first, last) have a neighbour at `offset` inside the sample.
  template <class F>
  void for_each_tap(Index channels, const F& f) const {
    const auto width = static_cast<Index>(weight.value.size());
    for (Index tap = 0; tap < width; ++tap) {
      const Index offset = tap - (width - 1) / 2;
      const Index first = std::max<Index>(0, -offset);
      const Index last = channels - std::max<Index>(0, offset);
      if (first < last) f(tap, first, last, offset);
    }
  }

  /// sum += factor * x
  static void add_scaled(Index count, double factor, const double* x, double* sum) {
    using P = pack_for<double>;
    Index i = 0;
    for (; i + P::lanes <= count; i += P::lanes) store(sum + i, load<P>(sum + i) + P(factor) * load<P>(x + i));
    for (; i < count; ++i) sum[i] += factor * x[i];
  }

  [[nodiscard]] static double dot(Index count, const double* x, const double* y) {
    using P = pack_for<double>;
    P lanes(0);
    Index i = 0;
    for (; i + P::lanes <= count; i += P::lanes) lanes += load<P>(x + i) * load<P>(y + i);
    double sum = 0;
    for (int lane = 0; lane < P::lanes; ++lane) sum += lanes.v[lane];
    for (; i < count; ++i) sum += x[i] * y[i];
    return sum;
  }
};

}  // namespace recal
