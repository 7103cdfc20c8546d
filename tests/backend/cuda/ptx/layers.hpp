// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <recal/backend/cuda/cross_entropy.hpp>
#include <recal/backend/cuda/modules.hpp>
#include <recal/backend/cuda/pool2d.hpp>
#include <recal/backend/cuda/relu.hpp>
#include <recal/backend/cuda/sgd.hpp>

#include "tests/backend/cuda/ptx/results.hpp"

namespace recal::testing {

/// Launches every kernel of ReLU and its relatives for tensors of T.
template <class T, class M>
void run_maps(const M& machine, const Shape& shape, Results& results) {
  const cuda::DeviceTensor<T> a(machine, pattern<T>(shape, 1));
  const cuda::DeviceTensor<T> b(machine, pattern<T>(shape, 2));
  cuda::DeviceTensor<T> y(machine, shape);
  cuda::relu(machine, a, y);
  keep(machine, "relu", y, results);
  cuda::add_relu(machine, a, b, y);
  keep(machine, "add_relu", y, results);
  cuda::relu_backward(machine, a, b, y);
  keep(machine, "relu_backward", y, results);
  cuda::accumulate(machine, b, y);
  keep(machine, "accumulate", y, results);
}

/// Launches every kernel of pooling for tensors of T.
template <class T, class M>
void run_pooling(const M& machine, const Shape& shape, Results& results) {
  const Window window{.kernel = 3, .stride = 2, .padding = 1};
  const Shape small{shape.n, shape.c, window.positions(shape.h), window.positions(shape.w)};
  const cuda::DeviceTensor<T> x(machine, pattern<T>(shape, 1));
  const cuda::DeviceTensor<T> dy(machine, pattern<T>(small, 2));
  cuda::DeviceTensor<T> y(machine, small);
  cuda::DeviceTensor<T> dx(machine, shape);
  cuda::MaxPool2d::Tape tape;
  cuda::max_pool2d(machine, x, y, window, tape);
  keep(machine, "max_pool2d", y, results);
  cuda::max_pool2d_backward(machine, dy, dx, window, tape);
  keep(machine, "max_pool2d_backward", dx, results);
  cuda::avg_pool2d(machine, x, y, window);
  keep(machine, "avg_pool2d", y, results);
  cuda::avg_pool2d_backward(machine, dy, dx, window);
  keep(machine, "avg_pool2d_backward", dx, results);
  const Shape one{shape.n, shape.c, 1, 1};
  cuda::DeviceTensor<T> means(machine, one);
  const cuda::DeviceTensor<T> dmeans(machine, pattern<T>(one, 3));
  cuda::global_avg_pool(machine, x, means);
  keep(machine, "global_avg_pool", means, results);
  cuda::global_avg_pool_backward(machine, dmeans, dx);
  keep(machine, "global_avg_pool_backward", dx, results);
}

template <class T, class M>
void run_layers(const M& machine, const Shape& shape, Results& results) {
  run_maps<T>(machine, shape, results);
  run_pooling<T>(machine, shape, results);
}

/// Launches the loss, of logits of T.
template <class T, class M>
void run_loss(const M& machine, const char* name, Results& results) {
  const Shape shape{3, 10, 1, 1};
  const cuda::DeviceTensor<T> logits(machine, pattern<T>(shape, 1));
  cuda::DeviceTensor<T> dlogits(machine, shape);
  const std::vector<Index> labels{0, 3, 9};
  const double loss = cuda::cross_entropy(machine, logits, labels, dlogits, 0.1);
  const auto rounded = static_cast<float>(loss);
  add_result(results, name, &rounded, 1);
  keep(machine, name, dlogits, results);
}

/// Launches the loss and an SGD step.
template <class M>
void run_training(const M& machine, Results& results) {
  run_loss<float>(machine, "cross_entropy", results);
  run_loss<half>(machine, "cross_entropy of half", results);
  run_loss<bfloat16>(machine, "cross_entropy of bfloat16", results);
  cuda::Srm srm(machine, 5);
  set_parameters(machine, srm);
  for_each_parameter(srm, [&](cuda::DeviceParameter& p) {
    upload(machine, std::span<const float>(Buffer<float>(static_cast<std::size_t>(p.size()), 0.25F)), p.grad);
  });
  cuda::Sgd sgd(machine, srm, {.momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
  for (int step = 0; step < 2; ++step) sgd.step(machine, srm, 0.1);
  for_each_parameter(srm, [&](const std::string& parameter, const cuda::DeviceParameter& p) {
    const Buffer<float> value = download(machine, p.value);
    add_result(results, "SGD of " + parameter, value.data(), p.size());
  });
}

}  // namespace recal::testing
