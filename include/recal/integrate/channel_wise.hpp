// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/parameter.hpp>
#include <recal/integrate/integrate.hpp>
#include <recal/integrate/row_sum.hpp>

namespace recal {

/// One weight per channel and style number: SRM's channel-wise fully connected layer (CFC).
///   z[n,c] = sum_d w[c,d] t[n,c,d];   w (C, D), zero at the start, no bias, no weight decay
/// source: Lee, Kim, Nam, "SRM", ICCV 2019, section 3.2
template <class T, Index D>
struct ChannelWise {
  static constexpr Mixing mixing = Mixing::samples;
  static constexpr Index in = D;
  static constexpr Index out = 1;
  using Tape = NoTape;

  BasicParameter<T> cfc;

  explicit ChannelWise(Index channels) : cfc("cfc", {channels, D}, T{}, false) {}

  void infer(Index channel, std::span<const double> t, std::span<double> z) const {
    const T* w = cfc.value.data() + channel * D;
    for (std::size_t row = 0; row < z.size(); ++row) {
      double sum = 0;
      for (std::size_t d = 0; d < D; ++d) sum += static_cast<double>(w[d]) * t[row * D + d];
      z[row] = sum;
    }
  }

  void forward(Index channel, std::span<const double> t, std::span<double> z, Tape&) { infer(channel, t, z); }

  void backward(Index channel, std::span<const double> t, std::span<const double> dz, std::span<double> dt, Tape&) {
    const T* w = cfc.value.data() + channel * D;
    T* dw = cfc.grad.data() + channel * D;
    for (std::size_t row = 0; row < dz.size(); ++row)
      for (std::size_t d = 0; d < D; ++d) dt[row * D + d] = dz[row] * static_cast<double>(w[d]);
    for (std::size_t d = 0; d < D; ++d)
      dw[d] += static_cast<T>(detail::row_sum(dz.size(), [&](std::size_t row) { return dz[row] * t[row * D + d]; }));
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.cfc);
  }
};

}  // namespace recal
