// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/lanes.hpp>

#include "tests/support/host_run/machine.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// Every thread leaves the sum over its lanes of (thread + 1), three times over.
template <template <class> class Lanes>
struct SumKernel {
  double* sums;

  template <class Context>
  void operator()(const Context& ctx) const {
    const Lanes<Context> lanes{ctx};
    double total = 0;
    for (int i = 0; i < 3; ++i) total += lanes.sum(static_cast<double>(lanes.lane() + 1));
    lanes.store(sums + ctx.block() * ctx.threads() + ctx.thread(), total);
  }
};

template <template <class> class Lanes>
Buffer<double> sums(const Schedule& schedule, int threads) {
  const HostMachine machine(schedule);
  const cuda::DeviceBuffer<double> there(machine, Index{2} * threads);
  machine.launch({2, threads, cuda::BlockLanes<int>::shared_bytes}, SumKernel<Lanes>{there.data()});
  return download(machine, there);
}

}  // namespace

TEST_CASE("every lane gets the sum over all lanes") {
  for (const Schedule& schedule : {Schedule::forward(), Schedule::reverse(), Schedule::random(1)}) {
    for (const double sum : sums<cuda::WarpLanes>(schedule, 96)) CHECK(sum == 3 * 32 * 33 / 2);
    for (const int threads : {32, 96, 256})
      for (const double sum : sums<cuda::BlockLanes>(schedule, threads)) CHECK(sum == 3 * threads * (threads + 1) / 2);
  }
}
