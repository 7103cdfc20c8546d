// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/context.hpp>

#include <doctest/doctest.h>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

struct NoThread {
  [[nodiscard]] Index block() const { return 0; }
};

/// A block turned round through shared memory, then lanes read each other's.
struct TurnKernel {
  const float* x;
  float* turned;
  float* below;
  float* first;

  template <class Context>
  void operator()(const Context& ctx) const {
    const Index place = ctx.block() * ctx.threads() + ctx.thread();
    const auto shared = ctx.template shared<float>(0, ctx.threads());
    shared.set(ctx.thread(), ctx.load(x + place));
    ctx.barrier();
    const float own = shared.get(ctx.threads() - 1 - ctx.thread());
    ctx.store(turned + place, own);
    ctx.store(below + place, ctx.shuffle_down(own, 1));
    ctx.store(first + place, ctx.shuffle(own, 0));
  }
};

}  // namespace

TEST_CASE("what is a thread's context") {
  static_assert(cuda::ThreadContext<HostContext>);
  static_assert(!cuda::ThreadContext<NoThread>);
  static_assert(sizeof(cuda::Vector<float, 4>) == 16 && alignof(cuda::Vector<float, 4>) == 16);
  static_assert(alignof(cuda::Vector<double, 2>) == 16);
}

TEST_CASE("shared memory is the block's, shuffles the warp's; a lane without one below keeps its own") {
  for (const Schedule& schedule : {Schedule::forward(), Schedule::reverse(), Schedule::random(1)}) {
    const HostMachine machine(schedule);
    Buffer<float> numbers;
    for (int i = 0; i < 128; ++i) numbers.push_back(static_cast<float>(i));
    const auto x = to_device(machine, numbers);
    const cuda::DeviceBuffer<float> turned(machine, 128);
    const cuda::DeviceBuffer<float> below(machine, 128);
    const cuda::DeviceBuffer<float> first(machine, 128);
    machine.launch({2, 64, 64 * sizeof(float)}, TurnKernel{x.data(), turned.data(), below.data(), first.data()});
    const auto own = download(machine, turned);
    const auto next = download(machine, below);
    const auto lowest = download(machine, first);
    for (Index i = 0; i < 128; ++i) {
      CHECK(at(own, i) == static_cast<float>(i / 64 * 64 + 63 - i % 64));
      CHECK(at(next, i) == at(own, i % 32 == 31 ? i : i + 1));
      CHECK(at(lowest, i) == at(own, i / 32 * 32));
    }
  }
}
