// SPDX-License-Identifier: Apache-2.0
// What the two halves of device_check pass to each other: device_check.cu, compiled by nvcc, and device_check.cpp,
// which computes the same on the processor with threads.
#pragma once

#include <map>
#include <string>

#include <recal/core/buffer.hpp>
#include <recal/core/tensor.hpp>

namespace recal::device_check {

/// A unit to run (units.hpp), and on what.
struct Job {
  std::string unit;
  std::string element;  // float, half, bfloat16
  bool training = true;
  Tensor<float> x;
  Tensor<float> shortcut;
  Tensor<float> dy;
  Tensor<float> mask;  // the output that backward takes its mask from; empty: that of forward
};

using Arrays = std::map<std::string, Buffer<float>>;  // by name

struct Result {
  Tensor<float> inferred;
  Tensor<float> y;
  Tensor<float> dshortcut;  // empty where the unit has no shortcut
  Tensor<float> dx;
  Arrays gradients;
  Arrays states;
};

/// What ReLU, poolings, loss and two steps of SGD make of a tensor.
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
  Buffer<float> stepped;  // x after two steps along itself
};

/// Both wait for the card.
[[nodiscard]] Result run_on_card(const Job& job);
[[nodiscard]] Layers run_layers_on_card(const Tensor<float>& x);

[[nodiscard]] bool has_card();

}  // namespace recal::device_check
