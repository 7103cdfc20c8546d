// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include <recal/core/parallel.hpp>
#include <recal/core/random.hpp>
#include <recal/core/tensor.hpp>

namespace bench {

using recal::Index;
using recal::Shape;
using Tensor = recal::Tensor<float>;

/// Adds benchmarks before main: `const Registration layers([] { add("path/of/a/name", ...); });`
struct Registration {
  explicit Registration(void (*add_all)()) { add_all(); }
};

/// `run` takes a benchmark::State&; everything that it sets up lives only while it runs.
template <class Run>
void add(const std::string& name, Run&& run) {
  benchmark::RegisterBenchmark(name.c_str(), std::forward<Run>(run))->UseRealTime()->Unit(benchmark::kMillisecond);
}

/// Times f. One call before makes room, touches pages and fills caches.
template <class F>
void repeat(benchmark::State& state, const F& f) {
  f();
  for (auto _ : state) {
    f();
    benchmark::ClobberMemory();
  }
}

/// Floating-point operations of one call, which the report turns into a rate.
inline void count_flops(benchmark::State& state, double flops) {
  state.counters["FLOPS"] = {flops, benchmark::Counter::kIsIterationInvariantRate};
}

/// Numbers in [-1, 1).
[[nodiscard]] inline Tensor noise(const Shape& shape, std::uint64_t seed = 0) {
  Tensor tensor(shape);
  recal::parallel_for(shape.size(), Index{1} << 14, [&](Index i) {
    tensor.data()[i] = static_cast<float>(2 * recal::random_unit(seed, static_cast<std::uint64_t>(i)) - 1);
  });
  return tensor;
}

}  // namespace bench
