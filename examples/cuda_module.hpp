// SPDX-License-Identifier: Apache-2.0
// What examples/cuda_module.cu trains, for any machine: tests/backend/cuda/cuda_module_test.cpp runs it without a card.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>

#include <recal/backend/cuda/map.hpp>
#include <recal/backend/cuda/modules.hpp>
#include <recal/backend/cuda/sgd.hpp>
#include <recal/core/random.hpp>

/// d/dy of the squared error, element by element; runs on the device.
struct ErrorGradient {
  float scale;
  RECAL_HOST_DEVICE float operator()(float y, float target) const { return scale * (y - target); }
};

/// Feature maps of random numbers, and the same maps with channel c scaled by (c + 1) / (C + 1): what SRM is to learn.
struct Task {
  recal::Tensor<float> x;
  recal::Tensor<float> target;

  explicit Task(const recal::Shape& shape) : x(shape), target(shape) {
    for (recal::Index i = 0; i < x.size(); ++i) {
      const recal::Index c = i / shape.plane() % shape.c;
      x.data()[i] = static_cast<float>(2 * recal::random_unit(1, static_cast<std::uint64_t>(i)) - 1);
      target.data()[i] = x.data()[i] * static_cast<float>(c + 1) / static_cast<float>(shape.c + 1);
    }
  }

  /// The mean squared error.
  [[nodiscard]] double loss(const recal::Tensor<float>& y) const {
    double sum = 0;
    for (recal::Index i = 0; i < y.size(); ++i) sum += std::pow(double{y.data()[i]} - double{target.data()[i]}, 2);
    return sum / static_cast<double>(y.size());
  }
};

/// Trains for `steps` steps and prints the loss every ten; says whether it fell to a tenth.
template <recal::cuda::Machine M>
bool train(const M& machine, const recal::Shape& shape, int steps) {
  const Task task(shape);
  const recal::cuda::DeviceTensor<float> x(machine, task.x);
  const recal::cuda::DeviceTensor<float> target(machine, task.target);
  recal::cuda::DeviceTensor<float> y(machine, shape);
  recal::cuda::DeviceTensor<float> dy(machine, shape);
  recal::cuda::DeviceTensor<float> dx(machine, shape);

  recal::cuda::Srm srm(machine, shape.c);
  recal::cuda::Srm::Tape tape;
  recal::cuda::Sgd sgd(machine, srm);
  const ErrorGradient gradient{2.0F / static_cast<float>(shape.n * shape.plane())};
  double first = 0;
  double loss = 0;
  for (int step = 0; step <= steps; ++step) {
    srm.forward(machine, x, y, tape);
    if (step % 10 == 0) {  // waits for the device; everything else does not
      loss = task.loss(y.to_host(machine));
      if (step == 0) first = loss;
      std::printf("step %3d  loss %.6f\n", step, loss);
    }
    recal::cuda::map_tensors(machine, gradient, dy.view(), y.view(), target.view());
    recal::cuda::zero_gradients(machine, srm);
    srm.backward(machine, x, dy, dx, tape);
    sgd.step(machine, srm, 0.5);
  }
  return loss < first / 10;
}
