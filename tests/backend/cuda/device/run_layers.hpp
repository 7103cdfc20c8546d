// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include <recal/backend/cuda/cross_entropy.hpp>
#include <recal/backend/cuda/pool2d.hpp>
#include <recal/backend/cuda/relu.hpp>
#include <recal/backend/cuda/sgd.hpp>

#include "device_check.hpp"

namespace recal::device_check {

namespace detail {

struct OneDeviceArray {
  cuda::DeviceParameter array;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.array);
  }
};

template <cuda::Machine M>
[[nodiscard]] Buffer<float> stepped(const M& machine, const Tensor<float>& x) {
  OneDeviceArray layer{{machine, Parameter{"array", {x.size()}}}};
  const std::span<const float> values(x.data(), static_cast<std::size_t>(x.size()));
  upload(machine, values, layer.array.value);
  upload(machine, values, layer.array.grad);
  cuda::Sgd sgd(machine, layer, {.nesterov = true});
  sgd.step(machine, layer, 0.1);
  sgd.step(machine, layer, 0.1);
  return download(machine, layer.array.value);
}

}  // namespace detail

/// On a machine: a card's stream, or the host run.
template <cuda::Machine M>
[[nodiscard]] Layers run_layers(const M& machine, const Tensor<float>& host) {
  const Window window{3, 2, 1};
  const Shape shape = host.shape();
  const Shape pooled = nn::detail::pooled_shape(window, shape);
  const cuda::DeviceTensor<float> x(machine, host);
  cuda::DeviceTensor<float> y(machine, shape);
  cuda::DeviceTensor<float> small(machine, pooled);
  cuda::DeviceTensor<float> mean(machine, Shape{shape.n, shape.c, 1, 1});
  Layers result;
  cuda::relu(machine, x, y);
  result.relu = y.to_host(machine);
  cuda::relu_backward(machine, y, x, y);
  result.relu_dx = y.to_host(machine);
  cuda::MaxPool2d::Tape tape;
  cuda::max_pool2d(machine, x, small, window, tape);
  result.max = small.to_host(machine);
  cuda::max_pool2d_backward(machine, small, y, window, tape);
  result.max_dx = y.to_host(machine);
  cuda::avg_pool2d(machine, x, small, window);
  result.avg = small.to_host(machine);
  cuda::avg_pool2d_backward(machine, small, y, window);
  result.avg_dx = y.to_host(machine);
  cuda::global_avg_pool(machine, x, mean);
  result.mean = mean.to_host(machine);
  cuda::global_avg_pool_backward(machine, mean, y);
  result.mean_dx = y.to_host(machine);
  std::vector<Index> labels;
  for (Index n = 0; n < shape.n; ++n) labels.push_back(n % shape.c);
  result.loss = cuda::cross_entropy(machine, mean, labels, mean, 0.1);
  result.logits_dx = mean.to_host(machine);
  result.stepped = detail::stepped(machine, host);
  return result;
}

}  // namespace recal::device_check
