// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/modules.hpp>

#include "tests/support/device_case.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// A machine with so many multiprocessors that no channel walk would keep them busy.
struct WideMachine : HostMachine {
  using HostMachine::HostMachine;
  [[nodiscard]] int multiprocessors() const { return 10000; }
};

struct Outcome {
  DevicePass<float> pass;
  Buffer<float> gradient;
  Index launches;
};

template <class M>
Outcome run_srm(const M& machine, const Shape& shape) {
  cuda::Srm srm(machine, shape.c);
  for_each_parameter(srm, [&](cuda::DeviceParameter& p) {
    upload(machine, std::span<const float>(Buffer<float>(static_cast<std::size_t>(p.size()), 0.5F)), p.value);
  });
  const auto before = static_cast<Index>(machine.traffic().launches);
  const auto pass = run_on(machine, srm, random_tensor<float>("x", shape), random_tensor<float>("dy", shape), true);
  const auto launches = static_cast<Index>(machine.traffic().launches) - before;
  return {pass, download(machine, srm.integrate().first.cfc.grad), launches};
}

}  // namespace

TEST_CASE("one launch a direction gives what three give") {
  for (const Shape& shape : {Shape{2, 3, 7, 7}, Shape{5, 4, 14, 14}, Shape{3, 2, 40, 40}}) {
    const Outcome walk = run_srm(HostMachine(Schedule::forward()), shape);
    const Outcome phases = run_srm(WideMachine(Schedule::forward()), shape);
    CHECK(walk.launches == 2);
    CHECK(phases.launches == 6);
    CHECK(relative_error(walk.pass.y, phases.pass.y) == 0);
    CHECK(relative_error(walk.pass.dx, phases.pass.dx) == 0);
    CHECK(relative_error(walk.gradient, phases.gradient) == 0);
  }
}

TEST_CASE("a channel too large for the cache goes in three launches") {
  CHECK(run_srm(HostMachine(Schedule::forward(), Checks::off), {3, 2, 256, 256}).launches == 6);
}
