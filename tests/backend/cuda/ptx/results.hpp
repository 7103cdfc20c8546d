// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <recal/backend/cuda/parameter.hpp>
#include <recal/core/tensor.hpp>

namespace recal::testing {

/// A result of a kernel, by name, widened.
struct Named {
  std::string name;
  std::vector<double> numbers;
};
using Results = std::vector<Named>;

/// Numbers in [-1, 1), a function of index and seed; written here again so that nvcc need not see the tests' support.
template <class T>
[[nodiscard]] Tensor<T> pattern(const Shape& shape, std::uint32_t seed) {
  Tensor<T> x(shape);
  for (Index i = 0; i < x.size(); ++i) {
    std::uint32_t bits = (static_cast<std::uint32_t>(i) + seed) * 2654435761U;
    bits ^= bits >> 15U;
    x.data()[i] = T(static_cast<float>(bits % 4096U) / 2048.0F - 1.0F);
  }
  return x;
}

template <class T>
void add_result(Results& results, const std::string& name, const T* numbers, Index count) {
  Named named{name, {}};
  for (Index i = 0; i < count; ++i) named.numbers.push_back(static_cast<double>(static_cast<float>(numbers[i])));
  results.push_back(std::move(named));
}

template <class T, class M>
void keep(const M& machine, const std::string& name, const cuda::DeviceTensor<T>& x, Results& results) {
  const Tensor<T> here = x.to_host(machine);
  add_result(results, name, here.data(), here.size());
}

/// Every parameter 0.3, 0.4, ... so that no product vanishes.
template <class M, class Module>
void set_parameters(const M& machine, Module& module) {
  for_each_parameter(module, [&](cuda::DeviceParameter& p) {
    Buffer<float> values(static_cast<std::size_t>(p.size()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.3F + 0.1F * static_cast<float>(i % 5);
    upload(machine, std::span<const float>(values), p.value);
  });
}

/// Runs a module's inference, forward and backward pass and keeps what they leave.
template <class T, class M, class Module>
void run_module(const M& machine, const std::string& name, Module twin, const Shape& shape, Results& results) {
  set_parameters(machine, twin);
  const cuda::DeviceTensor<T> x(machine, pattern<T>(shape, 1));
  const cuda::DeviceTensor<T> dy(machine, pattern<T>(shape, 2));
  cuda::DeviceTensor<T> y(machine, shape);
  cuda::DeviceTensor<T> dx(machine, shape);
  typename Module::Tape tape;
  twin.infer(machine, x, y, tape);
  keep(machine, name + " infer", y, results);
  twin.forward(machine, x, y, tape);
  keep(machine, name + " forward", y, results);
  twin.backward(machine, x, dy, dx, tape);
  keep(machine, name + " backward", dx, results);
  for_each_parameter(twin, [&](const std::string& parameter, const cuda::DeviceParameter& p) {
    const Buffer<float> grad = download(machine, p.grad);
    add_result(results, name + " gradient of " + parameter, grad.data(), p.size());
  });
}

}  // namespace recal::testing
