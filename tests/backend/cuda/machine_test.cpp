// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/machine.hpp>

#include "tests/support/host_run/context.hpp"
#include "tests/support/host_run/machine.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

struct NoLaunch {
  [[nodiscard]] int multiprocessors() const { return 1; }
};

struct MarkBlock {
  Index* marks;
  template <class Context>
  void operator()(const Context& ctx) const {
    if (ctx.thread() == 0) ctx.store(marks + ctx.block(), ctx.blocks());
  }
};

}  // namespace

TEST_CASE("what is a machine and what is a thread context") {
  static_assert(cuda::Machine<HostMachine>);
  static_assert(!cuda::Machine<NoLaunch>);
  static_assert(cuda::ThreadContext<HostContext>);
  static_assert(!cuda::ThreadContext<HostMachine>);
}

TEST_CASE("a machine runs every block once, and none where there are none") {
  const HostMachine machine(Schedule::random(1));
  const auto memory = machine.allocate(5 * sizeof(Index));
  CHECK(reinterpret_cast<std::uintptr_t>(memory.get()) % 256 == 0);
  auto* marks = static_cast<Index*>(memory.get());
  machine.clear(marks, 5 * sizeof(Index));
  machine.launch({0, 32}, MarkBlock{marks});
  machine.launch({4, 32}, MarkBlock{marks});
  Index found[5];
  machine.copy_to_host(found, marks, sizeof(found));
  for (int b = 0; b < 5; ++b) CHECK(found[b] == (b < 4 ? 4 : 0));
}
