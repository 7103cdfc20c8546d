// SPDX-License-Identifier: Apache-2.0
// device_check [--quick]: runs every module and layer on the card and on the processor and prints how far they are
// apart; exits with 1 where that is too far, or where a second run on the card gives other bits. 77 without a card.
#include "device_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <recal/nn/pool2d.hpp>
#include <recal/nn/relu.hpp>
#include <recal/recal.hpp>
#include <recal/train/cross_entropy.hpp>
#include <recal/train/sgd.hpp>

#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::device_check;

namespace {

int faults = 0;

/// max |found - expected| / max |expected|; infinite for other sizes and for NaN.
template <class Found, class Expected>
double error_of(const Found* found, std::size_t found_size, const Expected* expected, std::size_t size) {
  if (found_size != size) return INFINITY;
  double error = 0;
  double scale = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double gap = std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
    if (!(gap <= error)) error = std::isfinite(gap) ? gap : INFINITY;
    scale = std::max(scale, std::abs(static_cast<double>(expected[i])));
  }
  return scale > 0 ? error / scale : error;
}

double error_of(const Tensor<float>& found, const Tensor<float>& expected) {
  return error_of(found.data(), static_cast<std::size_t>(found.size()), expected.data(),
                  static_cast<std::size_t>(expected.size()));
}

double error_of(const Buffer<float>& found, const Buffer<float>& expected) {
  return error_of(found.data(), found.size(), expected.data(), expected.size());
}

void report(const std::string& what, double error, double bound) {
  const bool ok = error <= bound;
  std::printf("%-44s %9.2e  allowed %9.2e  %s\n", what.c_str(), error, bound, ok ? "ok" : "TOO FAR");
  faults += ok ? 0 : 1;
}

/// Planes that differ in mean and spread, as feature maps do.
Tensor<float> feature_maps(const Shape& shape) {
  auto x = testing::random_tensor<float>("x", shape);
  const auto planes = testing::random_tensor<float>("planes", {shape.n, shape.c, 1, 2});
  for (Index n = 0; n < shape.n; ++n)
    for (Index c = 0; c < shape.c; ++c)
      for (Index k = 0; k < shape.plane(); ++k) {
        float& value = x.view().plane(n, c)[k];
        value = value * (1.0F + 0.5F * planes(n, c, 0, 0)) + planes(n, c, 0, 1);
      }
  return x;
}

void round_to(const std::string& element, Tensor<float>& x) {
  for (Index i = 0; i < x.size(); ++i) {
    float& value = x.data()[i];
    if (element == "half") value = static_cast<float>(half(value));
    if (element == "bfloat16") value = static_cast<float>(bfloat16(value));
  }
}

bool same_bits(const Tensor<float>& a, const Tensor<float>& b) {
  return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

template <class Module>
void check_module(const char* name, const std::string& element, const Shape& shape, Module module) {
  Job job{name, element, shape.n > 1, feature_maps(shape), testing::random_tensor<float>("dy", shape), {}};
  round_to(element, job.x);
  round_to(element, job.dy);
  for_each_leaf(module, [&](const std::string& leaf_name, auto& leaf) {
    testing::fill(leaf_name, 0.3, 0.9, leaf.value.data(), leaf.size());
    job.arrays[leaf_name] = leaf.value;
  });
  const Result found = run_on_device(job);
  const Result again = run_on_device(job);
  Tensor<float> inferred(shape);
  Tensor<float> y(shape);
  Tensor<float> dx(shape);
  typename Module::Tape tape;
  module.infer(job.x, inferred);
  if (job.training)
    module.forward(job.x, y, tape);
  else
    module.forward_frozen(job.x, y, tape);
  module.backward(job.x, job.dy, dx, tape);

  const double rounding = element == "half" ? 0x1p-11 : element == "bfloat16" ? 0x1p-8 : 0.0;
  const std::string what = std::string(name) + " " + element + " " + std::to_string(shape.n) + "x" +
                           std::to_string(shape.c) + "x" + std::to_string(shape.h) + "x" + std::to_string(shape.w);
  report(what + " inferred", error_of(found.inferred, inferred), rounding + 2e-6);
  report(what + " y", error_of(found.y, y), rounding + 2e-6);
  report(what + " dx", error_of(found.dx, dx), rounding + 2e-5);
  double gradients = 0;
  double states = 0;
  for_each_parameter(module, [&](const std::string& n, const Parameter& p) {
    gradients = std::max(gradients, error_of(found.gradients.at(n), p.grad));
  });
  for_each_state(module, [&](const std::string& n, const auto& s) {
    states = std::max(states, error_of(found.states.at(n), s.value));
  });
  report(what + " gradients", gradients, 1e-4);
  report(what + " states", states, 2e-6);
  const bool same = same_bits(found.inferred, again.inferred) && same_bits(found.y, again.y) &&
                    same_bits(found.dx, again.dx) && found.gradients == again.gradients;
  report(what + " a second time", same ? 0.0 : 1.0, 0.0);
}

void check_modules(const std::string& element, const Shape& shape) {
  const Index c = shape.c;
  check_module("SRM", element, shape, Srm<>(c));
  check_module("SE", element, shape, Se<>(c, {.reduced = std::max<Index>(1, c / 16)}));
  check_module("GE", element, shape, GeThetaMinus<>(c));
  check_module("ECA", element, shape, Eca<>(c));
  check_module("GCT", element, shape, Gct<>(c));
  check_module("GRN", element, shape, Grn<>(c));
}

struct OneArray {
  Parameter array;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.array);
  }
};

void check_layers(const Shape& shape) {
  const Window window{3, 2, 1};
  const auto x = feature_maps(shape);
  const Layers found = run_layers_on_device(x);
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
  OneArray layer{{"array", {x.size()}}};
  std::copy_n(x.data(), x.size(), layer.array.value.data());
  std::copy_n(x.data(), x.size(), layer.array.grad.data());
  train::Sgd<float> sgd(layer, {.nesterov = true});
  sgd.step(layer, 0.1);
  sgd.step(layer, 0.1);
  report("SGD", error_of(found.stepped, layer.array.value), 1e-6);
}

}  // namespace

int main(int argc, char** argv) {
  if (!has_card()) {
    std::printf("no CUDA card here\n");
    return 77;
  }
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  std::vector<Shape> shapes{{2, 6, 7, 7}, {2, 3, 40, 33}};
  if (!quick)
    shapes.insert(shapes.end(), {{1, 5, 14, 14},
                                 {8, 4, 1, 1},
                                 {4, 3, 7, 5},
                                 {32, 256, 14, 14},
                                 {16, 512, 7, 7},
                                 {2, 64, 56, 56},
                                 {2, 3, 224, 224},
                                 {64, 2048, 7, 7},
                                 {3, 1, 1, 9}});
  for (const Shape& shape : shapes)
    for (const char* element : {"float", "half", "bfloat16"}) check_modules(element, shape);
  check_layers({5, 7, 33, 35});
  if (!quick) check_layers({32, 64, 56, 56});
  std::printf("%s\n", faults == 0 ? "device check: all agree" : "device check: FAILED");
  return faults == 0 ? 0 : 1;
}
