// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/relu.hpp>

#include <limits>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/nn/relu.hpp>

#include "tests/support/device_orders.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

const Shape shapes[] = {{2, 3, 7, 7}, {1, 1, 1, 1}, {3, 5, 33, 41}, {1, 2, 64, 64}, {4, 1, 1, 3}, {0, 3, 4, 4}};

/// Numbers with a NaN, both zeros and an infinity among them.
template <class T>
Tensor<T> numbers(const char* name, const Shape& shape) {
  Tensor<T> x = random_tensor<T>(name, shape);
  const float odd[] = {std::numeric_limits<float>::quiet_NaN(), 0.0F, -0.0F, -std::numeric_limits<float>::infinity()};
  for (Index i = 0; i < std::min<Index>(4, x.size() / 4); ++i) x.data()[i * 3] = static_cast<T>(odd[i]);
  return x;
}

}  // namespace

TEST_CASE_TEMPLATE("ReLU on the host run is the CPU's, to the bit", T, float, double, half, bfloat16) {
  for (const Shape& shape : shapes) {
    CAPTURE(to_string(shape));
    const auto x = numbers<T>("x", shape);
    const auto other = numbers<T>("other", shape);
    const auto y = in_every_order([&](const HostMachine& m) {
      cuda::DeviceTensor<T> there(m, x);
      cuda::relu(m, there, there);
      return there.to_host(m);
    });
    const auto sum = in_every_order([&](const HostMachine& m) {
      const cuda::DeviceTensor<T> a(m, x);
      const cuda::DeviceTensor<T> b(m, other);
      cuda::DeviceTensor<T> out(m, shape);
      cuda::add_relu(m, a, b, out);
      cuda::accumulate(m, b, out);
      return out.to_host(m);
    });
    const auto dx = in_every_order([&](const HostMachine& m) {
      const cuda::DeviceTensor<T> out(m, y);
      cuda::DeviceTensor<T> gradient(m, other);
      cuda::relu_backward(m, out, gradient, gradient);
      return gradient.to_host(m);
    });
    Tensor<T> expected(shape);
    nn::relu(Cpu{}, x, expected);
    CHECK(same_bits(y, expected));
    nn::relu_backward(Cpu{}, y, other, expected);
    CHECK(same_bits(dx, expected));
    nn::add_relu(Cpu{}, x, other, expected);
    nn::accumulate(Cpu{}, other, expected);
    CHECK(same_bits(sum, expected));
  }
}

TEST_CASE("ReLU takes channel slices") {
  const Shape shape{3, 4, 5, 7};
  const auto x = random_tensor<float>("x", shape);
  const auto dy = random_tensor<float>("dy", shape);
  const HostMachine m(Schedule::random(3));
  const StridedDeviceTensor<float> strided(m, x);
  cuda::relu(m, strided.view(), strided.view());
  const cuda::DeviceTensor<float> gradient(m, dy);
  cuda::DeviceTensor<float> dx(m, shape);
  cuda::relu_backward(m, strided.view(), gradient, dx);
  Tensor<float> expected(shape);
  nn::relu(Cpu{}, x, expected);
  CHECK(same_bits(strided.to_host(m), expected));
  nn::relu_backward(Cpu{}, x, dy, expected);
  CHECK(same_bits(dx.to_host(m), expected));
}

TEST_CASE("ReLU's faults state both shapes, and nothing is written") {
  const HostMachine m(Schedule::forward());
  const cuda::DeviceTensor<float> x(m, random_tensor<float>("x", {1, 2, 3, 4}));
  const Tensor<float> before = random_tensor<float>("y", {1, 2, 4, 3});
  cuda::DeviceTensor<float> y(m, before);
  CHECK_THROWS_WITH_AS(cuda::relu(m, x, y),
                       "recal: output of ReLU has shape (N=1, C=2, H=4, W=3), expected (N=1, C=2, H=3, W=4)", error);
  CHECK_THROWS_AS(cuda::relu_backward(m, x, x, y), error);
  CHECK_THROWS_AS(cuda::relu_backward(m, x, y, x), error);
  CHECK_THROWS_AS(cuda::add_relu(m, x, y, y), error);
  CHECK_THROWS_AS(cuda::accumulate(m, x, y), error);
  CHECK(same_bits(y.to_host(m), before));
}
