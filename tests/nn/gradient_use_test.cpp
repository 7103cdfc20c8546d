// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/gct.hpp>
#include <recal/nn/gradient_use.hpp>
#include <recal/nn/resnet.hpp>
#include <recal/se.hpp>

#include "tests/support/random_tensor.hpp"

namespace {

using recal::Tensor;
using recal::nn::BlockKind;
using recal::nn::GradientUse;
using recal::nn::KeepGradients;
using recal::nn::ResNet;
using recal::nn::Stem;
using recal::testing::random_tensor;

static_assert(GradientUse<KeepGradients> && GradientUse<const KeepGradients&>);
static_assert(!GradientUse<Tensor<float>> && !GradientUse<int>);

/// Hears of every parameter whose gradient is complete, and spoils its value: whoever still reads it goes wrong.
struct Spoil {
  std::map<const void*, int> heard;

  template <class Add, class... Layer>
  void operator()(const Add& add, Layer&... layers) {
    add();
    const auto spoil = [this](auto& parameter) {
      ++heard[&parameter];
      parameter.value.assign(parameter.value.size(), std::numeric_limits<float>::quiet_NaN());
    };
    (recal::for_each_parameter(layers, spoil), ...);
  }
};

/// A backward pass uses every gradient once, when it is complete and nothing reads the parameter any more.
template <class Net>
void check_used_once(Net net) {
  const auto images = random_tensor<float>("images", {3, 3, 33, 40});
  const auto dlogits = random_tensor<float>("dlogits", {3, 5, 1, 1});
  Net spoiled = net;
  typename Net::Tape tape;
  net.forward(recal::Cpu{}, images, tape);
  net.backward(recal::Cpu{}, images, dlogits, tape);
  spoiled.forward(recal::Cpu{}, images, tape);
  Spoil use;
  spoiled.backward(recal::Cpu{}, images, dlogits, tape, use);

  std::vector<recal::Buffer<float>> gradients;
  recal::for_each_parameter(net, [&](const auto& parameter) { gradients.push_back(parameter.grad); });
  std::size_t next = 0;
  recal::for_each_parameter(spoiled, [&](const std::string& name, const auto& parameter) {
    CHECK_MESSAGE(use.heard[&parameter] == 1, name);
    CHECK_MESSAGE(parameter.grad == gradients[next++], name);
  });
  CHECK(use.heard.size() == gradients.size());
}

TEST_CASE("KeepGradients lets a pass add, and no more") {
  int passes = 0;
  KeepGradients{}([&passes] { ++passes; });
  CHECK(passes == 1);
}

TEST_CASE("a network's backward pass uses every gradient once, when nothing needs its parameter any more") {
  check_used_once(ResNet<float>({.layout = {BlockKind::bottleneck, {2, 1, 1, 1}}, .classes = 5}));
  check_used_once(ResNet<float>({.layout = {BlockKind::basic, {1, 2, 1, 1}}, .classes = 5, .stem = Stem::small}));
  check_used_once(ResNet<float, recal::Se<float>>({.layout = {BlockKind::basic, {1, 1, 1, 1}}, .classes = 5}));
  check_used_once(ResNet<float, recal::Gct<float>>({.layout = {BlockKind::basic, {1, 1, 1, 1}}, .classes = 5}));
}

}  // namespace
