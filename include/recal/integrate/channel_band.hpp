// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <recal/core/error.hpp>
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
    for_each_tap(z.size(), [&](std::size_t c, std::size_t from, std::size_t j) {
      z[c] += static_cast<double>(weight.value[j]) * t[from];
    });
  }

  void forward(Index sample, std::span<const double> t, std::span<double> z, Tape&) { infer(sample, t, z); }

  void backward(Index, std::span<const double>, std::span<const double> dz, std::span<double> dt, Tape&) {
    std::ranges::fill(dt, 0.0);
    for_each_tap(dz.size(), [&](std::size_t c, std::size_t from, std::size_t j) {
      dt[from] += static_cast<double>(weight.value[j]) * dz[c];
    });
  }

  void parameter_gradients(Index samples, std::span<const double> t, std::span<const double> dz, Tape&) {
    if (samples == 0) return;
    const std::size_t channels = t.size() / static_cast<std::size_t>(samples);
    Buffer<double> sum(weight.value.size(), 0.0);
    for (std::size_t first = 0; first < t.size(); first += channels)
      for_each_tap(channels,
                   [&](std::size_t c, std::size_t from, std::size_t j) { sum[j] += dz[first + c] * t[first + from]; });
    for (std::size_t j = 0; j < sum.size(); ++j) weight.grad[j] += static_cast<T>(sum[j]);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
  }

 private:
  /// f(channel, neighbour inside the sample, tap)
  template <class F>
  void for_each_tap(std::size_t channels, const F& f) const {
    const std::size_t width = weight.value.size();
    const std::size_t reach = (width - 1) / 2;
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t j = 0; j < width; ++j)
        if (c + j >= reach && c + j - reach < channels) f(c, c + j - reach, j);
  }
};

}  // namespace recal
