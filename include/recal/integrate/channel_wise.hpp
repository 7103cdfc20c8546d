// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include <recal/core/interleaved.hpp>
#include <recal/core/parameter.hpp>
#include <recal/integrate/channel_lanes.hpp>
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

  void infer(Index channel, std::span<const double> t, std::span<double> z) const { infer_block(channel, 1, t, z); }

  void forward(Index channel, std::span<const double> t, std::span<double> z, Tape&) { infer(channel, t, z); }

  void backward(Index channel, std::span<const double> t, std::span<const double> dz, std::span<double> dt,
                Tape& tape) {
    backward_block(channel, 1, t, dz, dt, tape);
  }

  void infer_block(Index first, Index channels, std::span<const double> t, std::span<double> z) const {
    const Index rows = static_cast<Index>(z.size()) / channels;
    detail::for_each_channel_lanes(channels, [&](Index i, auto lanes, auto step) {
      using A = decltype(lanes);
      const auto w = load_interleaved<A, D>(cfc.value.data() + (first + i) * D);
      for (Index row = 0; row < rows; ++row) {
        const auto own = load_interleaved<A, D>(t.data() + (row * step + i) * D);
        A sum(0);
        for (std::size_t d = 0; d < D; ++d) sum += w[d] * own[d];
        store(z.data() + row * step + i, sum);
      }
    });
  }

  void forward_block(Index first, Index channels, std::span<const double> t, std::span<double> z, Tape&) {
    infer_block(first, channels, t, z);
  }

  void backward_block(Index first, Index channels, std::span<const double> t, std::span<const double> dz,
                      std::span<double> dt, Tape&) {
    const Index rows = static_cast<Index>(dz.size()) / channels;
    detail::for_each_channel_lanes(channels, [&](Index i, auto lanes, auto step) {
      using A = decltype(lanes);
      using Numbers = std::array<A, static_cast<std::size_t>(D)>;
      const auto w = load_interleaved<A, D>(cfc.value.data() + (first + i) * D);
      T* dw = cfc.grad.data() + (first + i) * D;
      const auto gradient = [&](Index row) { return load<A>(dz.data() + row * step + i); };
      for (Index row = 0; row < rows; ++row) {
        Numbers own;
        for (std::size_t d = 0; d < D; ++d) own[d] = gradient(row) * w[d];
        store_interleaved(dt.data() + (row * step + i) * D, own);
      }
      Numbers sums;
      for (std::size_t d = 0; d < D; ++d)
        sums[d] = load_interleaved<A, D>(dw)[d] + detail::row_sum(static_cast<std::size_t>(rows), [&](std::size_t row) {
                    const auto r = static_cast<Index>(row);
                    return gradient(r) * load_interleaved<A, D>(t.data() + (r * step + i) * D)[d];
                  });
      store_interleaved(dw, sums);
    });
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.cfc);
  }
};

}  // namespace recal
