// SPDX-License-Identifier: Apache-2.0
// What device_check asks of a device, whatever runs the jobs: a card, or the host run in an ordinary test.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <recal/nn/pool2d.hpp>
#include <recal/nn/relu.hpp>
#include <recal/train/cross_entropy.hpp>
#include <recal/train/sgd.hpp>

#include "on_processor.hpp"
#include "run.hpp"
#include "tests/support/narrow_tensor.hpp"
#include "tests/support/random_tensor.hpp"

namespace recal::device_check {

namespace detail {

struct OneArray {
  Parameter array;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.array);
  }
};

/// max |found - expected| / max |expected|; infinite for other sizes and for NaN.
[[nodiscard]] inline double error_of(std::span<const float> found, std::span<const float> expected) {
  if (found.size() != expected.size()) return INFINITY;
  double error = 0;
  double scale = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double gap = std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
    if (!(gap <= error)) error = std::isfinite(gap) ? gap : INFINITY;
    scale = std::max(scale, std::abs(static_cast<double>(expected[i])));
  }
  return scale > 0 ? error / scale : error;
}

[[nodiscard]] inline std::span<const float> all(const Tensor<float>& x) {
  return {x.data(), static_cast<std::size_t>(x.size())};
}

[[nodiscard]] inline double error_of(const Tensor<float>& found, const Tensor<float>& expected) {
  return error_of(all(found), all(expected));
}

/// The largest of the arrays' errors; infinite where one side lacks an array.
[[nodiscard]] inline double error_of(const Arrays& found, const Arrays& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double error = 0;
  for (const auto& [name, values] : expected)
    error = std::max(error, found.contains(name) ? error_of(std::span<const float>(found.at(name)), values) : INFINITY);
  return error;
}

[[nodiscard]] inline bool same_bits(const Tensor<float>& a, const Tensor<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), all(a).size_bytes()) == 0;
}

[[nodiscard]] inline bool same_bits(const Result& a, const Result& b) {
  return same_bits(a.inferred, b.inferred) && same_bits(a.y, b.y) && same_bits(a.dshortcut, b.dshortcut) &&
         same_bits(a.dx, b.dx) && a.gradients == b.gradients && a.states == b.states;
}

[[nodiscard]] inline std::string text_of(const Shape& x) {
  return std::to_string(x.n) + 'x' + std::to_string(x.c) + 'x' + std::to_string(x.h) + 'x' + std::to_string(x.w);
}

[[nodiscard]] inline Tensor<float> rounded_to(std::string_view element, const Tensor<float>& x) {
  if (element == "half") return testing::widened(testing::rounded<half>(x));
  if (element == "bfloat16") return testing::widened(testing::rounded<bfloat16>(x));
  return x;
}

}  // namespace detail

/// What runs the jobs, and who is told of every comparison: of what, how large the error is, how large it may be.
struct Comparison {
  std::function<Result(const Job&)> run;
  std::function<Layers(const Tensor<float>&)> run_layers;
  std::function<void(const std::string& what, double error, double allowed)> report;

  /// One unit beside the CPU backend, and beside itself a second time. The processor takes the mask of a ReLU from
  /// the output that was found: an element that is almost 0 may be 0 on one side alone.
  void check_unit(std::string_view unit, const std::string& element, const Shape& shape) const {
    using detail::error_of;
    Job job;
    job.unit = unit;
    job.element = element;
    job.training = shape.n > 1;
    job.x = detail::rounded_to(element, testing::feature_maps(shape));
    job.shortcut = detail::rounded_to(element, testing::random_tensor<float>("shortcut", shape));
    job.dy = detail::rounded_to(element, testing::random_tensor<float>("dy", shape));
    const Result found = run(job);
    const bool same = detail::same_bits(found, run(job));
    job.mask = found.y;
    const Result expected = device_check::run<float>(OnProcessor{}, job);
    const double rounding = element == "half" ? 0x1p-11 : element == "bfloat16" ? 0x1p-8 : 0.0;
    const std::string what = job.unit + ' ' + element + ' ' + detail::text_of(shape);
    report(what + " inferred", error_of(found.inferred, expected.inferred), rounding + 2e-6);
    report(what + " y", error_of(found.y, expected.y), rounding + 2e-6);
    report(what + " dshortcut", error_of(found.dshortcut, expected.dshortcut), 0);
    report(what + " dx", error_of(found.dx, expected.dx), rounding + 2e-5);
    report(what + " gradients", error_of(found.gradients, expected.gradients), sees_two_values(job) ? 1e-2 : 1e-4);
    report(what + " states", error_of(found.states, expected.states), 2e-6);
    report(what + " a second time", same ? 0.0 : 1.0, 0.0);
  }

  void check_units(const std::string& element, const Shape& shape) const {
    for (const auto names :
         {std::span<const std::string_view>(module_names), {tail_names}, {norm_names}, {field_names}})
      for (const std::string_view unit : names) check_unit(unit, element, shape);
  }

  /// ReLU, poolings, loss and SGD.
  void check_layers(const Shape& shape) const {
    using detail::error_of;
    const Window window{3, 2, 1};
    const auto x = testing::feature_maps(shape);
    const Layers found = run_layers(x);
    Tensor<float> full(shape);
    Tensor<float> small(nn::detail::pooled_shape(window, shape));
    Tensor<float> mean(Shape{shape.n, shape.c, 1, 1});
    nn::relu(Cpu{}, x, full);
    report("ReLU", error_of(found.relu, full), 0);
    nn::relu_backward(Cpu{}, full, x, full);
    report("ReLU dx", error_of(found.relu_dx, full), 0);
    nn::MaxPool2d::Tape tape;
    nn::max_pool2d(Cpu{}, x, small, window, tape);
    report("max pooling", error_of(found.max, small), 0);
    nn::max_pool2d_backward(Cpu{}, small, full, window, tape);
    report("max pooling dx", error_of(found.max_dx, full), 1e-6);
    nn::avg_pool2d(Cpu{}, x, small, window);
    report("average pooling", error_of(found.avg, small), 1e-6);
    nn::avg_pool2d_backward(Cpu{}, small, full, window);
    report("average pooling dx", error_of(found.avg_dx, full), 2e-6);
    nn::global_avg_pool(Cpu{}, x, mean);
    report("global pooling", error_of(found.mean, mean), 1e-6);
    nn::global_avg_pool_backward(Cpu{}, mean, full);
    report("global pooling dx", error_of(found.mean_dx, full), 2e-6);
    std::vector<Index> labels;
    for (Index n = 0; n < shape.n; ++n) labels.push_back(n % shape.c);
    const double loss = train::cross_entropy(mean, labels, mean, 0.1);
    report("cross-entropy", std::abs(found.loss - loss) / loss, 1e-6);
    report("cross-entropy dx", error_of(found.logits_dx, mean), 2e-6);
    report("SGD", error_of(std::span<const float>(found.stepped), stepped(x)), 1e-6);
  }

 private:
  /// A batch norm of two values that are far apart leaves next to nothing of their gradients: rounding, in double too.
  [[nodiscard]] static bool sees_two_values(const Job& job) {
    return job.x.shape().n == 2 && (job.unit == "GE-th 0" || job.unit == "GE-th+ 0");
  }

  [[nodiscard]] static Buffer<float> stepped(const Tensor<float>& x) {
    detail::OneArray layer{{"array", {x.size()}}};
    std::copy_n(x.data(), x.size(), layer.array.value.data());
    std::copy_n(x.data(), x.size(), layer.array.grad.data());
    train::Sgd<float> sgd(layer, {.nesterov = true});
    sgd.step(layer, 0.1);
    sgd.step(layer, 0.1);
    return layer.array.value;
  }
};

}  // namespace recal::device_check
