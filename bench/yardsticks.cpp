// SPDX-License-Identifier: Apache-2.0
// What the machine can do: the passes over memory and the multiply-adds that the others are held against.

#include <algorithm>
#include <array>
#include <string>

#include <recal/core/pack.hpp>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

using bench::Index;

/// f(first, last) for pieces that make up [0, count), on all threads.
template <class F>
void in_pieces(Index count, const F& f) {
  constexpr Index piece = 1 << 14;
  recal::parallel_for((count + piece - 1) / piece, [&](Index i) { f(i * piece, std::min(count, (i + 1) * piece)); });
}

/// y = a*x
void scaled_copy(benchmark::State& state, const bench::Shape& shape) {
  const bench::Tensor input = bench::noise(shape);
  bench::Tensor output(shape);
  bench::repeat(state, [&] {
    in_pieces(shape.size(), [x = input.data(), y = output.data()](Index first, Index last) {
      for (Index i = first; i < last; ++i) y[i] = 0.5F * x[i];
    });
  });
}

/// dx = a*dy + b*x
void triad(benchmark::State& state, const bench::Shape& shape) {
  const bench::Tensor input = bench::noise(shape);
  const bench::Tensor gradient = bench::noise(shape, 1);
  bench::Tensor output(shape);
  bench::repeat(state, [&] {
    in_pieces(shape.size(), [x = input.data(), dy = gradient.data(), dx = output.data()](Index first, Index last) {
      for (Index i = first; i < last; ++i) dx[i] = 0.5F * dy[i] + 0.25F * x[i];
    });
  });
}

/// Multiply-adds that wait neither for each other nor for memory.
void multiply_add(benchmark::State& state) {
  using P = recal::pack_for<float>;
  constexpr Index pieces = 64;
  constexpr Index rounds = 1 << 14;
  std::array<P, 12> start{};  // enough to hide the latency of 4 to 5 cycles at 2 a cycle
  benchmark::DoNotOptimize(start);
  bench::repeat(state, [&] {
    recal::parallel_for(pieces, [&](Index) {
      auto sums = start;
      const P scale(0.5F);
      for (Index i = 0; i < rounds; ++i)
        for (P& sum : sums) sum = sum * scale + scale;
      benchmark::DoNotOptimize(sums);
    });
  });
  bench::count_flops(state, 2.0 * static_cast<double>(pieces * rounds * P::lanes) * static_cast<double>(start.size()));
}

const bench::Registration yardsticks([] {
  for (const bench::Workload& work : bench::workloads) {
    bench::add(std::string("yardstick/copy/") + work.name,
               [&work](benchmark::State& state) { scaled_copy(state, work.shape); });
    bench::add(std::string("yardstick/triad/") + work.name,
               [&work](benchmark::State& state) { triad(state, work.shape); });
  }
  bench::add("yardstick/multiply_add", multiply_add);
});

}  // namespace
