// SPDX-License-Identifier: Apache-2.0
// The yardsticks by themselves.

#include "yardsticks.hpp"

#include <string>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

const bench::Registration yardsticks([] {
  for (const bench::Workload& work : bench::workloads) {
    bench::add(std::string("yardstick/copy/") + work.name, [&work](benchmark::State& state) {
      const bench::Tensor x = bench::noise(work.shape);
      bench::Tensor y(work.shape);
      bench::repeat(state, [&] { bench::scaled_copy(x, y); });
    });
    bench::add(std::string("yardstick/triad/") + work.name, [&work](benchmark::State& state) {
      const bench::Tensor x = bench::noise(work.shape);
      const bench::Tensor dy = bench::noise(work.shape, 1);
      bench::Tensor dx(work.shape);
      bench::repeat(state, [&] { bench::triad(x, dy, dx); });
    });
  }
  bench::add("yardstick/multiply_add", [](benchmark::State& state) {
    bench::repeat(state, bench::MultiplyAdds{});
    bench::count_flops(state, bench::MultiplyAdds::flops);
  });
});

}  // namespace
