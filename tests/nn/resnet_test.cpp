// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/zero_gradients.hpp>
#include <recal/gct.hpp>
#include <recal/ge.hpp>
#include <recal/nn/resnet.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>
#include <recal/train/cross_entropy.hpp>
#include <recal/train/sgd.hpp>

#include "tests/support/block_check.hpp"

namespace {

using recal::Index;
using recal::Shape;
using recal::Tensor;
using recal::nn::BlockKind;
using recal::nn::ResNet;
using recal::nn::ResNetLayout;
using recal::nn::ResNetOptions;
using recal::nn::Stem;
using recal::testing::random_tensor;
using recal::testing::relative_error;

constexpr ResNetLayout shallow{BlockKind::basic, {1, 1, 1, 1}};
constexpr ResNetLayout shallow_bottlenecks{BlockKind::bottleneck, {1, 1, 1, 1}};

TEST_CASE("modules add the published numbers of parameters to ResNet-50 (T13)") {
  std::vector<Shape> blocks;
  const ResNet<float> net({}, [&blocks](Index channels, Index height, Index width) {
    blocks.push_back({1, channels, height, width});
    return recal::nn::NoModule{};
  });
  CHECK(recal::parameter_count(net) == 25'557'032);
  CHECK(blocks.size() == 16);
  CHECK(blocks.front() == Shape{1, 256, 56, 56});
  CHECK(blocks.back() == Shape{1, 2048, 7, 7});
  const auto with = [&](const auto& make) {
    Index count = recal::parameter_count(net);
    for (const Shape& block : blocks) count += recal::parameter_count(make(block));
    return count;
  };
  const auto map_sized = [](const Shape& b, bool bias) {
    return recal::GatherOptions{.extent = 0, .height = b.h, .width = b.w, .bias = bias};
  };
  CHECK(with([](const Shape& b) { return recal::Srm<float>(b.c); }) == 25'617'448);
  CHECK(with([](const Shape& b) { return recal::Se<float>(b.c, {.bias = false}); }) == 28'071'976);
  CHECK(with([](const Shape& b) { return recal::Se<float>(b.c); }) == 28'088'024);
  CHECK(with([&](const Shape& b) { return recal::GeTheta<float>(b.c, map_sized(b, true)); }) == 31'121'704);
  CHECK(with([&](const Shape& b) { return recal::GeTheta<float>(b.c, map_sized(b, false)); }) == 31'106'600);
  CHECK(with([&](const Shape& b) { return recal::GeThetaPlus<float>(b.c, {.gather = map_sized(b, false)}); }) ==
        33'637'592);
  CHECK(with([](const Shape& b) { return recal::Gct<float>(b.c); }) == 25'602'344);
  CHECK(with([](const Shape& b) { return recal::GeThetaMinus<float>(b.c); }) == 25'557'032);
}

TEST_CASE("names of a residual network are torchvision's") {
  const ResNet<float, recal::Srm<float>> net({.layout = recal::nn::resnet18, .classes = 10});
  const auto names = recal::testing::parameter_names(net);
  const auto has = [&names](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  CHECK(names.front() == "conv1.weight");
  CHECK(names[1] == "bn1.weight");
  CHECK(names.back() == "fc.bias");
  CHECK(has("layer1.0.conv1.weight"));
  CHECK(has("layer2.0.downsample.0.weight"));
  CHECK(has("layer2.0.downsample.1.bias"));
  CHECK(has("layer4.1.rclb.bn.weight"));
  CHECK_FALSE(has("layer1.0.downsample.0.weight"));
  CHECK(names.size() == 62 + 8 * 3);
}

TEST_CASE("initial parameters follow the seed and torchvision's distributions") {
  const ResNet<float> a({.layout = shallow, .classes = 10, .seed = 1});
  const ResNet<float> b({.layout = shallow, .classes = 10, .seed = 1});
  const ResNet<float> c({.layout = shallow, .classes = 10, .seed = 2});
  CHECK(a.conv1.weight.value == b.conv1.weight.value);
  CHECK(a.fc.weight.value == b.fc.weight.value);
  CHECK(a.conv1.weight.value != c.conv1.weight.value);
  const auto& weight = a.stages[3][0].layers[1].conv.weight.value;
  double sum = 0.0;
  double squares = 0.0;
  for (const float w : weight) {
    sum += static_cast<double>(w);
    squares += static_cast<double>(w) * static_cast<double>(w);
  }
  const auto count = static_cast<double>(weight.size());
  CHECK(std::abs(sum / count) <= 1e-4);
  CHECK(squares / count == doctest::Approx(2.0 / (512 * 9)).epsilon(0.01));
  const double limit = 1.0 / std::sqrt(512.0);
  for (const float w : a.fc.weight.value) REQUIRE(std::abs(static_cast<double>(w)) <= limit);
}

/// One step of a small network with Block in both stems, forward and backward.
template <class Net>
void check_training(const ResNetOptions& options, const Shape& images, double rate) {
  Net net(options);
  typename Net::Tape tape;
  const auto x = random_tensor<float>("x", images);
  std::vector<Index> labels;
  for (Index n = 0; n < images.n; ++n) labels.push_back(n % options.classes);
  recal::train::Sgd<float> sgd(net);
  Tensor<float> dlogits({images.n, options.classes, 1, 1});
  std::vector<double> losses;
  for (int step = 0; step < 6; ++step) {
    const auto logits = net.forward(recal::Cpu{}, x, tape);
    CHECK(logits.shape == Shape{images.n, options.classes, 1, 1});
    losses.push_back(recal::train::cross_entropy(logits, labels, dlogits));
    recal::zero_gradients(net);
    net.backward(recal::Cpu{}, x, dlogits, tape);
    sgd.step(net, rate);
  }
  CHECK(std::isfinite(losses.back()));
  CHECK(losses.back() < 0.7 * losses.front());
}

TEST_CASE("small residual networks of both blocks and both stems learn a batch by heart") {
  check_training<ResNet<float>>({.layout = {BlockKind::basic, {2, 1, 1, 1}}, .classes = 4, .stem = Stem::small},
                                {6, 3, 10, 12}, 0.02);
  check_training<ResNet<float, recal::Srm<float>>>({.layout = shallow, .classes = 4}, {6, 3, 37, 50}, 0.02);
  check_training<ResNet<float>>({.layout = shallow_bottlenecks, .classes = 4, .stem = Stem::small}, {6, 3, 9, 8}, 0.02);
}

TEST_CASE("ResNet-18, 34 and 101 run, and have the published numbers of parameters") {
  const auto x = random_tensor<float>("x", {1, 3, 32, 32});
  const auto check_network = [&x](const auto& net, Index parameters) {
    CHECK(recal::parameter_count(net) == parameters);
    typename std::remove_cvref_t<decltype(net)>::Tape tape;
    const auto logits = net.infer(recal::Cpu{}, x, tape);
    CHECK(logits.shape == Shape{1, 1000, 1, 1});
    for (Index i = 0; i < 1000; ++i) REQUIRE(std::isfinite(logits.data[i]));
  };
  check_network(ResNet<float>({.layout = recal::nn::resnet18}), 11'689'512);
  check_network(ResNet<float>({.layout = recal::nn::resnet34}), 21'797'672);
  check_network(ResNet<float>({.layout = recal::nn::resnet101}), 44'549'160);
}

template <class T, class Net>
struct Step {
  Tensor<T> logits;
  Tensor<T> dx;
  std::vector<T> gradients;

  template <class Backend>
  Step(const Backend& backend, Net net, const Tensor<T>& x, bool frozen = false) : dx(x.shape()) {
    typename Net::Tape tape;
    const auto view = frozen ? net.forward_frozen(backend, x, tape) : net.forward(backend, x, tape);
    logits.resize(view.shape);
    std::copy_n(view.data, view.shape.size(), logits.data());
    const auto dlogits = random_tensor<T>("dlogits", view.shape);
    net.backward(backend, x, dlogits, tape, dx);
    recal::for_each_parameter(
        net, [this](const auto& p) { gradients.insert(gradients.end(), p.grad.begin(), p.grad.end()); });
  }
};

TEST_CASE("a network on the cpu backend equals the one on the reference backend") {
  using Net = ResNet<double, recal::Srm<double>>;
  Net net({.layout = shallow, .classes = 3, .stem = Stem::small});
  recal::testing::fill_network(net);
  const auto x = random_tensor<double>("x", {3, 3, 5, 6});
  const Step<double, Net> cpu(recal::Cpu{}, net, x);
  const Step<double, Net> reference(recal::Reference{}, net, x);
  CHECK(relative_error(cpu.logits, reference.logits) <= 1e-9);
  CHECK(relative_error(cpu.dx, reference.dx) <= 1e-9);
  CHECK(relative_error(cpu.gradients, reference.gradients) <= 1e-9);
}

TEST_CASE("a network with fixed weights infers the same") {
  using Net = ResNet<float, recal::Srm<float>>;
  Net net({.layout = shallow_bottlenecks, .classes = 3});
  recal::testing::fill_network(net);
  const auto x = random_tensor<float>("x", {4, 3, 64, 64});
  Net::Tape tape;
  const auto logits = net.infer(recal::Cpu{}, x, tape);
  Tensor<float> expected(logits.shape);
  std::copy_n(logits.data, logits.shape.size(), expected.data());
  recal::cpu::FixedWeights<float> fixed;
  for (int round = 0; round < 2; ++round)
    CHECK(relative_error(net.infer(recal::Cpu{}, x, tape, &fixed), expected) <= 1e-5);
  CHECK(fixed.size() > 0);
}

TEST_CASE("inference equals the frozen forward, and the gradient of the images is right") {
  using Net = ResNet<double>;
  Net net({.layout = shallow_bottlenecks, .classes = 3});
  recal::testing::fill_network(net);
  auto x = random_tensor<double>("x", {2, 3, 20, 23});
  const Step<double, Net> step(recal::Cpu{}, net, x, true);
  Net::Tape tape;
  CHECK(relative_error(net.infer(recal::Cpu{}, x, tape), step.logits) <= 1e-13);
  const auto dlogits = random_tensor<double>("dlogits", {2, 3, 1, 1});
  const auto loss = [&] {
    const auto logits = net.infer(recal::Cpu{}, x, tape);
    double sum = 0.0;
    for (Index i = 0; i < 6; ++i) sum += logits.data[i] * dlogits.data()[i];
    return sum;
  };
  for (Index i = 0; i < x.size(); i += 97) {
    const double h = 1e-6;
    const double kept = std::exchange(x.data()[i], x.data()[i] + h);
    const double above = loss();
    x.data()[i] = kept - h;
    const double below = loss();
    x.data()[i] = kept;
    CHECK(std::abs((above - below) / (2 * h) - step.dx.data()[i]) <= 1e-7);
  }
}

TEST_CASE("a network's step is bit-identical for any number of threads") {
  using Net = ResNet<float, recal::Srm<float>>;
  const Net net({.layout = shallow_bottlenecks, .classes = 10});
  const auto x = random_tensor<float>("x", {4, 3, 64, 64});
  const int before = recal::thread_count();
  recal::set_thread_count(1);
  const Step<float, Net> one(recal::Cpu{}, net, x);
  for (const int threads : {2, 3}) {
    recal::set_thread_count(threads);
    const Step<float, Net> other(recal::Cpu{}, net, x);
    CHECK(relative_error(other.logits, one.logits) == 0.0);
    CHECK(other.gradients == one.gradients);
  }
  recal::set_thread_count(before);
}

TEST_CASE("a step inside the backward pass is the step after it, bit for bit") {
  using Net = ResNet<float, recal::Se<float>>;
  Net after({.layout = shallow_bottlenecks, .classes = 4});
  Net inside = after;
  recal::train::Sgd<float> sgd_after(after, {.nesterov = true});
  recal::train::Sgd<float> sgd_inside(inside, sgd_after.options());
  recal::release_gradients(inside);
  Net::Tape tape;
  const auto x = random_tensor<float>("x", {4, 3, 40, 36});
  const auto dlogits = random_tensor<float>("dlogits", {4, 4, 1, 1});
  for (int step = 0; step < 3; ++step) {
    after.forward(recal::Cpu{}, x, tape);
    after.backward(recal::Cpu{}, x, dlogits, tape);
    sgd_after.step_and_clear(after, 0.01);
    inside.forward(recal::Cpu{}, x, tape);
    inside.backward(recal::Cpu{}, x, dlogits, tape, sgd_inside.in_backward(inside, 0.01));
  }
  std::vector<recal::Buffer<float>> values;
  recal::for_each_parameter(after, [&](const auto& parameter) { values.push_back(parameter.value); });
  std::size_t next = 0;
  recal::for_each_parameter(inside, [&](const std::string& name, const auto& parameter) {
    CHECK_MESSAGE(parameter.value == values[next++], name);
    CHECK_MESSAGE(parameter.grad.empty(), name);
  });
}

TEST_CASE("networks name what does not fit") {
  ResNet<float> net({.layout = shallow, .classes = 4});
  ResNet<float>::Tape tape;
  const Tensor<float> grey({2, 1, 32, 32}, 0.0F);
  const Tensor<float> colour({2, 3, 32, 32}, 0.0F);
  const Tensor<float> dlogits({2, 4, 1, 1}, 0.0F);
  CHECK_THROWS_WITH_AS(net.forward(recal::Cpu{}, grey, tape),
                       "recal: the network takes images of 3 channels, found (N=2, C=1, H=32, W=32)", recal::error);
  CHECK_THROWS_WITH_AS(net.backward(recal::Cpu{}, colour, dlogits, tape),
                       "recal: the tape holds 0 blocks, the network has 4; forward comes before backward",
                       recal::error);
  CHECK_THROWS_AS(ResNet<float>({.layout = {BlockKind::basic, {1, 0, 1, 1}}}), recal::error);
}

TEST_CASE("a tape serves one backward pass, and the second changes nothing") {
  ResNet<float> net({.layout = shallow, .classes = 4});
  ResNet<float>::Tape tape;
  const auto x = random_tensor<float>("x", {2, 3, 32, 32});
  const auto dlogits = random_tensor<float>("dlogits", {2, 4, 1, 1});
  net.forward(recal::Cpu{}, x, tape);
  net.backward(recal::Cpu{}, x, dlogits, tape);
  const auto before = net.fc.weight.grad;
  CHECK_THROWS_WITH_AS(net.backward(recal::Cpu{}, x, dlogits, tape),
                       "recal: the tape of the network is used up; forward comes before each backward", recal::error);
  CHECK(net.fc.weight.grad == before);
  net.forward(recal::Cpu{}, x, tape);
  CHECK_NOTHROW(net.backward(recal::Cpu{}, x, dlogits, tape));
}

}  // namespace
