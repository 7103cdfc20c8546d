// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

/// `run` takes a benchmark::State&; everything that it sets up lives only while it runs. `iterations`: how often it
/// times its function; 0 for as often as fills the time that is asked for.
template <class Run>
void add(const std::string& name, Run&& run, int iterations = 0) {
  auto* added = benchmark::RegisterBenchmark(name.c_str(), std::forward<Run>(run));
  added->UseManualTime()->Unit(benchmark::kMillisecond);
  if (iterations > 0) added->Iterations(iterations);
}

template <class F>
[[nodiscard]] double seconds_of(const F& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  benchmark::ClobberMemory();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Times f, each call after one of `before`. One call before makes room, touches pages and fills caches.
template <class F, class Before>
void repeat(benchmark::State& state, const F& f, const Before& before) {
  before();
  f();
  for (auto _ : state) {
    before();
    state.SetIterationTime(seconds_of(f));
  }
}
template <class F>
void repeat(benchmark::State& state, const F& f) {
  repeat(state, f, [] {});
}

/// The same, and after each call of f one of a yardstick, in the same memory where it can be, so that both find the
/// same in cache. The median of the ratios of such pairs is what does not follow the machine's speed, which other
/// programs change.
/// spins: how long threads of the yardstick that are not recal's spin after a call. They are left to fall asleep then,
/// and both sides get a call before the timed one, which wakes their own.
/// returns: the time of f over that of the yardstick
template <class F, class G>
[[nodiscard]] double repeat_beside(benchmark::State& state, const F& f, const G& yardstick,
                                   std::chrono::milliseconds spins = {}) {
  const auto timed = [&](const auto& call) {
    if (spins.count() > 0) call();
    return seconds_of(call);
  };
  f();
  yardstick();
  std::vector<double> ratios;
  for (auto _ : state) {
    std::this_thread::sleep_for(spins);
    const double own = timed(f);
    state.SetIterationTime(own);
    ratios.push_back(own / timed(yardstick));
  }
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  return *middle;
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
