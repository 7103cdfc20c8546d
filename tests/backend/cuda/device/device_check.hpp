// SPDX-License-Identifier: Apache-2.0
// What the two halves of device_check pass to each other: device_check.cu, compiled by nvcc, and device_check.cpp,
// which computes the same on the processor with threads.
#pragma once

#include <map>
#include <string>

#include <recal/core/buffer.hpp>
#include <recal/core/tensor.hpp>

namespace recal::device_check {

using Arrays = std::map<std::string, Buffer<float>>;  // parameters and states, or gradients, by name

struct Job {
  std::string module;   // SRM, SE, GE, ECA, GCT, GRN
  std::string element;  // float, half, bfloat16
  bool training = true;
  Tensor<float> x;
  Tensor<float> dy;
  Arrays arrays;
};

struct Result {
  Tensor<float> inferred;
  Tensor<float> y;
  Tensor<float> dx;
  Arrays gradients;
  Arrays states;
};

/// Inference, then forward and backward, on the card.
[[nodiscard]] Result run_on_device(const Job& job);

/// ReLU, poolings, loss and a step of SGD on the card.
struct Layers {
  Tensor<float> relu;
  Tensor<float> relu_dx;
  Tensor<float> max;
  Tensor<float> max_dx;
  Tensor<float> avg;
  Tensor<float> avg_dx;
  Tensor<float> mean;
  Tensor<float> mean_dx;
  Tensor<float> logits_dx;  // of `mean` as logits, sample n of class n % C, smoothed by 0.1
  double loss = 0;
  Buffer<float> stepped;  // x after two steps along dy
};

[[nodiscard]] Layers run_layers_on_device(const Tensor<float>& x);

[[nodiscard]] bool has_card();

}  // namespace recal::device_check
