// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/device_buffer.hpp>

#include "tests/support/host_run/machine.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

TEST_CASE("an array goes to the device and comes back") {
  const HostMachine machine(Schedule::forward());
  const Buffer<float> numbers{1, 2, 3};
  cuda::DeviceBuffer<float> there;
  upload(machine, std::span<const float>(numbers), there);
  CHECK(download(machine, there) == numbers);
  clear(machine, there);
  CHECK(download(machine, there) == Buffer<float>{0, 0, 0});
}

TEST_CASE("memory is kept where it suffices") {
  const HostMachine machine(Schedule::forward());
  cuda::DeviceBuffer<double> buffer(machine, 100);
  const double* first = buffer.data();
  buffer.resize(machine, 10);
  CHECK(buffer.size() == 10);
  CHECK(buffer.bytes() == 80);
  buffer.resize(machine, 100);
  CHECK(buffer.data() == first);
  cuda::DeviceBuffer<double> empty(machine, 0);
  CHECK(download(machine, empty).empty());
}

TEST_CASE("a tensor goes to the device and comes back") {
  const HostMachine machine(Schedule::forward());
  const auto x = random_tensor<half>("x", {2, 3, 5, 7});
  const cuda::DeviceTensor<half> there(machine, x);
  const Tensor<half> back = there.to_host(machine);
  REQUIRE(back.shape() == x.shape());
  for (Index i = 0; i < x.size(); ++i) CHECK(back.data()[i].bits == x.data()[i].bits);
  static_assert(NchwTensor<cuda::DeviceTensor<float>>);
  CHECK(view_of(there).shape == x.shape());
}
