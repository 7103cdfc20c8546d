// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/hold_gradients.hpp>
#include <recal/train/sgd.hpp>

#include "tests/support/fill.hpp"
#include "tests/support/golden.hpp"

namespace {

using recal::BasicParameter;
using recal::Index;
using recal::testing::Golden;
using recal::train::Sgd;
using recal::train::SgdOptions;

template <class T>
struct Layer {
  BasicParameter<T> first;
  BasicParameter<T> second;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.first);
    v(self.second);
  }
};

template <class T>
void check_golden(const std::string& name, double bound) {
  const Golden g(name);
  const Index count = static_cast<Index>(g.values<T>("p0").size());
  Layer<T> layer{{"first", {count}}, {"second", {1}}};
  const auto start = g.values<T>("p0");
  std::copy(start.begin(), start.end(), layer.first.value.begin());
  Sgd<T> sgd(layer, {.momentum = g.number("momentum"),
                     .weight_decay = g.number("weight_decay"),
                     .nesterov = name.ends_with("nesterov1")});
  for (int step = 0; step < 4; ++step) {
    const auto gradient = g.values<T>("g" + std::to_string(step));
    std::copy(gradient.begin(), gradient.end(), layer.first.grad.begin());
    sgd.step(layer, g.number("lr"));
    recal::testing::check_tensor(layer.first.value, g, "p" + std::to_string(step + 1), bound);
  }
}

TEST_CASE("SGD follows PyTorch's rule, with and without Nesterov") {
  for (const std::string& name : recal::testing::golden_cases("sgd_")) {
    check_golden<double>(name, 1e-9);
    check_golden<float>(name, 2e-6);
  }
}

TEST_CASE("SGD decays only parameters that say so, and needs no momentum") {
  Layer<double> layer{{"first", {2}, 1.0}, {"second", {2}, 1.0, false}};
  layer.first.grad.assign(2, 0.5);
  layer.second.grad.assign(2, 0.5);
  Sgd<double> sgd(layer, {.momentum = 0.0, .weight_decay = 0.1});
  sgd.step(layer, 0.1);
  sgd.step(layer, 0.1);
  CHECK(layer.first.value[1] == doctest::Approx(0.94 - 0.1 * (0.5 + 0.094)));
  CHECK(layer.second.value[1] == doctest::Approx(0.9));
  CHECK(layer.first.grad[0] == 0.5);
}

TEST_CASE("a step that clears is a step, with gradients that are zero afterwards") {
  Layer<float> layer{{"first", {7}, 1.0F}, {"second", {200000}, 2.0F, false}};
  recal::testing::fill("first", -1, 1, layer.first.grad.data(), layer.first.size());
  recal::testing::fill("second", -1, 1, layer.second.grad.data(), layer.second.size());
  Layer<float> cleared = layer;
  Sgd<float> sgd(layer, {.nesterov = true});
  Sgd<float> clearing(cleared, sgd.options());
  for (int step = 0; step < 2; ++step) {
    sgd.step(layer, 0.1);
    clearing.step_and_clear(cleared, 0.1);
    CHECK(cleared.first.value == layer.first.value);
    CHECK(cleared.second.value == layer.second.value);
    CHECK(cleared.first.grad == recal::Buffer<float>(7, 0.0F));
    CHECK(cleared.second.grad == recal::Buffer<float>(200000, 0.0F));
    cleared.first.grad = layer.first.grad;
    cleared.second.grad = layer.second.grad;
  }
}

/// One parameter of a layer.
struct Part {
  BasicParameter<float>& parameter;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.parameter);
  }
};

void add_noise(BasicParameter<float>& parameter, float scale) {
  recal::Buffer<float> noise(parameter.value.size());
  recal::testing::fill(parameter.name, -1, 1, noise.data(), parameter.size());
  for (std::size_t i = 0; i < noise.size(); ++i) parameter.grad[i] += scale * noise[i];
}

TEST_CASE("a step in the backward pass is a step that clears, parameter by parameter, and lends what is not there") {
  Layer<float> layer{{"first", {7}, 1.0F}, {"second", {200000}, 2.0F, false}};
  Layer<float> lent = layer;
  Sgd<float> sgd(layer, {.nesterov = true});
  Sgd<float> lending(lent, sgd.options());
  recal::release_gradients(lent);
  for (const float scale : {1.0F, -3.0F, 2.0F}) {
    add_noise(layer.first, scale);
    add_noise(layer.second, scale);
    sgd.step_and_clear(layer, 0.1);
    auto use = lending.in_backward(lent, 0.1);
    for (BasicParameter<float>* parameter : {&lent.second, &lent.first}) {
      CHECK(parameter->grad.empty());
      Part part{*parameter};
      use([&] { add_noise(*parameter, scale); }, part);
      CHECK(parameter->grad.empty());
    }
    CHECK(lent.first.value == layer.first.value);
    CHECK(lent.second.value == layer.second.value);
  }
}

TEST_CASE("a step in the backward pass goes along what earlier passes added, too") {
  Layer<float> layer{{"first", {7}, 1.0F}, {"second", {300}, 2.0F}};
  Layer<float> other = layer;
  Sgd<float> sgd(layer);
  Sgd<float> in_backward(other);
  const auto add = [](Layer<float>& to, float scale) {
    add_noise(to.first, scale);
    add_noise(to.second, scale);
  };
  add(layer, 1.0F);
  add(layer, 5.0F);
  sgd.step(layer, 0.1);
  add(other, 1.0F);
  in_backward.in_backward(other, 0.1)([&] { add(other, 5.0F); }, other);
  CHECK(other.first.value == layer.first.value);
  CHECK(other.second.value == layer.second.value);
  CHECK(other.first.grad.empty());
  CHECK(other.second.grad.capacity() == 0);
}

TEST_CASE("SGD refuses a step without gradients, and one in the backward pass of other parameters") {
  Layer<float> layer{{"first", {7}, 1.0F}, {"second", {300}, 2.0F}};
  Layer<float> stranger = layer;
  Sgd<float> sgd(layer);
  recal::release_gradients(layer);
  CHECK_THROWS_WITH_AS(sgd.step(layer, 0.1),
                       "recal: first has 7 numbers and 0 gradients; backward comes before the optimiser's step",
                       recal::error);
  bool added = false;
  CHECK_THROWS_WITH_AS(sgd.in_backward(layer, 0.1)([&] { added = true; }, stranger),
                       "recal: first is not among the parameters of the layer that the step is for", recal::error);
  CHECK(!added);
  Layer<float> resized{{"first", {7}}, {"second", {301}}};
  CHECK_THROWS_AS(std::ignore = sgd.in_backward(resized, 0.1), recal::error);
  CHECK(layer.first.value[0] == 1.0F);
}

TEST_CASE("SGD's momenta are states by name, enough to continue from") {
  const auto make = [] {
    Layer<float> layer{{"first", {3, 2}}, {"second", {200000}}};
    recal::testing::fill("second", -1, 1, layer.second.value.data(), layer.second.size());
    recal::testing::fill("gradient", -1, 1, layer.second.grad.data(), layer.second.size());
    return layer;
  };
  Layer<float> straight = make();
  Sgd<float> sgd(straight);
  sgd.step(straight, 0.1);
  Layer<float> resumed = straight;
  std::vector<std::string> names;
  std::vector<recal::BasicState<float>> saved;
  recal::for_each_state(sgd, [&](const std::string& name, const recal::BasicState<float>& state) {
    names.push_back(name);
    saved.push_back(state);
  });
  CHECK(names == std::vector<std::string>{"momentum.first", "momentum.second"});
  CHECK(saved[0].shape == std::vector<Index>{3, 2});
  sgd.step(straight, 0.1);

  Sgd<float> other(resumed);
  std::size_t next = 0;
  recal::for_each_state(other, [&](recal::BasicState<float>& state) { state = saved[next++]; });
  other.step(resumed, 0.1);
  CHECK(resumed.second.value == straight.second.value);
  CHECK(straight.second.value != make().second.value);
}

TEST_CASE("SGD is bit-identical for any number of threads") {
  const int before = recal::thread_count();
  recal::Buffer<float> first;
  for (const int threads : {1, 2, 3}) {
    recal::set_thread_count(threads);
    Layer<float> layer{{"first", {7}}, {"second", {300001}}};
    recal::testing::fill("second", -1, 1, layer.second.value.data(), layer.second.size());
    recal::testing::fill("gradient", -1, 1, layer.second.grad.data(), layer.second.size());
    Sgd<float> sgd(layer, {.nesterov = true});
    sgd.step(layer, 0.1);
    sgd.step(layer, 0.1);
    if (threads == 1) first = layer.second.value;
    CHECK(layer.second.value == first);
  }
  recal::set_thread_count(before);
}

TEST_CASE("SGD refuses parameters that it was not made for, and options without meaning") {
  Layer<float> layer{{"first", {2}}, {"second", {2}, 1.0F}};
  Layer<float> renamed{{"first", {2}}, {"third", {2}, 1.0F}};
  Layer<float> resized{{"first", {2}}, {"second", {3}, 1.0F}};
  Sgd<float> sgd(layer);
  CHECK_THROWS_WITH_AS(sgd.step(renamed, 0.1),
                       "recal: the optimiser's next parameter is second with 2 numbers, the layer's is third with 2",
                       recal::error);
  CHECK_THROWS_AS(sgd.step(resized, 0.1), recal::error);
  CHECK(renamed.second.value[0] == 1.0F);
  CHECK_THROWS_AS(Sgd<float>(layer, {.momentum = -0.1}), recal::error);
  CHECK_THROWS_AS(Sgd<float>(layer, {.weight_decay = -0.1}), recal::error);
  CHECK_THROWS_AS(Sgd<float>(layer, {.momentum = 0.0, .nesterov = true}), recal::error);
}

}  // namespace
