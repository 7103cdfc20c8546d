// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/map.hpp>

#include <doctest/doctest.h>

#include <recal/backend/cuda/device_buffer.hpp>

#include "tests/support/host_run/machine.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

struct Half {
  template <class A>
  A operator()(A x) const {
    return x / 2;
  }
};
struct Minus {
  float operator()(float a, float b) const { return a - b; }
};

/// Channels [first, first + count) of a tensor.
TensorView<float> channels(TensorView<float> x, Index first, Index count) {
  x.data += first * x.stride_c;
  x.shape.c = count;
  return x;
}

}  // namespace

TEST_CASE("a map of one tensor or two, over one of them, whatever its size") {
  const HostMachine machine(Schedule::random(2));
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 7}, Shape{1, 2, 33, 64}, Shape{1, 1, 1, 20000}}) {
    const auto a = random_tensor<float>("a", shape);
    const auto b = random_tensor<float>("b", shape);
    const cuda::DeviceTensor<float> x(machine, a);
    const cuda::DeviceTensor<float> y(machine, b);
    const cuda::DeviceTensor<float> out(machine, shape);
    cuda::map_tensors(machine, Half{}, out.view(), x.view());
    cuda::map_tensors(machine, Minus{}, y.view(), x.view(), y.view());
    const auto halves = out.to_host(machine);
    const auto gaps = y.to_host(machine);
    Index wrong = 0;
    for (Index i = 0; i < a.size(); ++i)
      wrong += halves.data()[i] != a.data()[i] / 2 || gaps.data()[i] != a.data()[i] - b.data()[i];
    CHECK(wrong == 0);
  }
}

TEST_CASE("a slice of channels is mapped, and nothing beside it") {
  const HostMachine machine(Schedule::reverse());
  const auto before = random_tensor<float>("x", {2, 4, 3, 5});
  const cuda::DeviceTensor<float> x(machine, before);
  cuda::map_tensors(machine, Half{}, channels(x.view(), 1, 2), channels(x.view(), 1, 2));
  const auto after = x.to_host(machine);
  for (Index i = 0; i < before.size(); ++i) {
    const Index c = i / 15 % 4;
    CHECK(after.data()[i] == before.data()[i] / (c == 1 || c == 2 ? 2.0F : 1.0F));
  }
}

TEST_CASE("double is mapped in double, and nothing is launched for nothing") {
  const HostMachine machine;
  const auto before = random_tensor<double>("x", {1, 1, 3, 3});
  const cuda::DeviceTensor<double> x(machine, before);
  cuda::map_tensors(machine, Half{}, x.view(), x.view());
  CHECK(x.to_host(machine).data()[4] == before.data()[4] / 2);
  const auto launches = machine.traffic().launches;
  const cuda::DeviceTensor<float> empty(machine, Shape{2, 0, 3, 3});
  cuda::map_tensors(machine, Half{}, empty.view(), empty.view());
  CHECK(machine.traffic().launches == launches);
}
