// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/identity.hpp>
#include <recal/backend/cuda/integrate/integrate.hpp>

#include "tests/support/host_run/machine.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

struct NoView {
  static constexpr Mixing mixing = Mixing::none;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = NoTape;
};

}  // namespace

TEST_CASE("what is a device integration and what is not") {
  static_assert(cuda::DeviceIntegrate<cuda::Identity>);
  static_assert(!cuda::DeviceIntegrate<NoView>);
}

TEST_CASE("a view of a parameter sees its values and its gradients") {
  const HostMachine machine(Schedule::forward());
  const cuda::DeviceParameter parameter(machine, {"w", {2, 3}, 0.5F});
  const cuda::ParameterView view = cuda::view_of_parameter(parameter);
  CHECK(view.value == parameter.value.data());
  CHECK(view.grad == parameter.grad.data());
  CHECK(cuda::view_of_parameter(cuda::DeviceParameter{}).value == nullptr);
}
