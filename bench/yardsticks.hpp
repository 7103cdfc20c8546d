// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include <recal/core/pack.hpp>

#include "harness.hpp"

/// What the machine can do: the passes over memory and the multiply-adds that the others are held against.
namespace bench {

/// f(first, last) for pieces that make up [0, count), on all threads.
template <class F>
void in_pieces(Index count, const F& f) {
  constexpr Index piece = 1 << 14;
  recal::parallel_for((count + piece - 1) / piece, [&](Index i) { f(i * piece, std::min(count, (i + 1) * piece)); });
}

/// y = a*x
inline void scaled_copy(const Tensor& from, Tensor& to) {
  in_pieces(from.shape().size(), [x = from.data(), y = to.data()](Index first, Index last) {
    for (Index i = first; i < last; ++i) y[i] = 0.5F * x[i];
  });
}

/// dx = a*dy + b*x
inline void triad(const Tensor& input, const Tensor& gradient, Tensor& to) {
  in_pieces(to.shape().size(), [x = input.data(), dy = gradient.data(), dx = to.data()](Index first, Index last) {
    for (Index i = first; i < last; ++i) dx[i] = 0.5F * dy[i] + 0.25F * x[i];
  });
}

/// Multiply-adds that wait neither for each other nor for memory.
struct MultiplyAdds {
  using P = recal::pack_for<float>;
  static constexpr Index pieces = 64;
  static constexpr Index rounds = 1 << 14;
  static constexpr Index chains = 12;  // enough to hide the latency of 4 to 5 cycles at 2 a cycle
  static constexpr double flops = 2.0 * static_cast<double>(pieces * rounds * chains * P::lanes);

  void operator()() const {
    std::array<P, chains> start{};
    benchmark::DoNotOptimize(start);
    recal::parallel_for(pieces, [&](Index) {
      auto sums = start;
      const P scale(0.5F);
      for (Index i = 0; i < rounds; ++i)
        for (P& sum : sums) sum = sum * scale + scale;
      benchmark::DoNotOptimize(sums);
    });
  }
};

}  // namespace bench
