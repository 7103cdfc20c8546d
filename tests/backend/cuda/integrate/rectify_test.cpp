// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/integrate/rectify.hpp>

#include <doctest/doctest.h>

#include <recal/backend/cuda/rows.hpp>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("negative numbers become 0, and their gradients, and that at 0") {
  const HostMachine machine(Schedule::reverse());
  static_assert(cuda::DeviceIntegrate<cuda::Rectify>);
  const auto t = to_device(machine, Buffer<double>{-2, 0, 3, -0.0, 1e-300});
  const auto dz = to_device(machine, Buffer<double>{1, 2, 3, 4, 5});
  const cuda::DeviceBuffer<double> z(machine, 5);
  const cuda::DeviceBuffer<double> dt(machine, 5);
  NoTape nothing;
  const auto view = cuda::Rectify{}.view(cuda::Pass::train, nothing);
  cuda::launch_rows(machine, 1, 5, [=, from = t.data(), to = z.data()](const auto& lanes, Index group) {
    view.forward(lanes, group, 5, from, to);
  });
  cuda::launch_rows(machine, 1, 5, [=, x = t.data(), from = dz.data(), to = dt.data()](const auto& lanes, Index group) {
    view.backward(lanes, group, 5, x, from, to);
  });
  CHECK(download(machine, z) == Buffer<double>{0, 0, 3, 0, 1e-300});
  CHECK(download(machine, dt) == Buffer<double>{0, 0, 3, 0, 5});
}
