// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/sgd.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <recal/train/sgd.hpp>

#include "tests/support/device_orders.hpp"
#include "tests/support/fill.hpp"
#include "tests/support/golden.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

template <class P>
struct Pair {
  P first;
  P second;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.first);
    v(self.second);
  }
};

using HostLayer = Pair<Parameter>;
using DeviceLayer = Pair<cuda::DeviceParameter>;

HostLayer host_layer(Index first, Index second) {
  HostLayer layer{{"first", {first}}, {"second", {second}, 1.0F, false}};
  fill("first", -1, 1, layer.first.value.data(), first);
  fill("second", -1, 1, layer.second.value.data(), second);
  return layer;
}

DeviceLayer to_device(const HostMachine& m, const HostLayer& host) { return {{m, host.first}, {m, host.second}}; }

void fill_gradients(const HostMachine& m, HostLayer& host, DeviceLayer& device, int step) {
  fill("g" + std::to_string(step), -1, 1, host.first.grad.data(), host.first.size());
  fill("h" + std::to_string(step), -1, 1, host.second.grad.data(), host.second.size());
  upload(m, std::span<const float>(host.first.grad), device.first.grad);
  upload(m, std::span<const float>(host.second.grad), device.second.grad);
}

}  // namespace

TEST_CASE("SGD on the host run follows PyTorch's rule, with and without Nesterov") {
  for (const std::string& name : golden_cases("sgd_nesterov")) {
    const Golden g(name);
    const HostMachine m(Schedule::random(2));
    const auto start = g.values<float>("p0");
    HostLayer host = host_layer(static_cast<Index>(start.size()), 1);
    std::copy(start.begin(), start.end(), host.first.value.begin());
    DeviceLayer layer = to_device(m, host);
    cuda::Sgd sgd(m, layer,
                  {.momentum = g.number("momentum"),
                   .weight_decay = g.number("weight_decay"),
                   .nesterov = name.ends_with("nesterov1")});
    for (int step = 0; step < 4; ++step) {
      upload(m, std::span<const float>(g.values<float>("g" + std::to_string(step))), layer.first.grad);
      sgd.step(m, layer, g.number("lr"));
      check_tensor(download(m, layer.first.value), g, "p" + std::to_string(step + 1), 2e-6);
    }
  }
}

TEST_CASE("SGD on the host run equals the host's, in every order of threads") {
  for (const Index count : {Index{1}, Index{3}, Index{4}, Index{1027}, Index{33333}})
    for (const bool nesterov : {false, true}) {
      CAPTURE(count);
      const train::SgdOptions options{.momentum = 0.9, .weight_decay = 0.01, .nesterov = nesterov};
      HostLayer host = host_layer(count, 5);
      train::Sgd<float> expected(host, options);
      HostLayer start = host;
      const auto found = in_every_order([&](const HostMachine& m) {
        HostLayer gradients = start;
        DeviceLayer layer = to_device(m, start);
        cuda::Sgd sgd(m, layer, options);
        for (int step = 0; step < 3; ++step) {
          fill_gradients(m, gradients, layer, step);
          sgd.step(m, layer, 0.1);
        }
        CHECK(download(m, layer.first.grad) == gradients.first.grad);
        Tensor<float> all(Shape{1, 1, 1, count + 5});
        m.copy_to_host(all.data(), layer.first.value.data(), layer.first.value.bytes());
        m.copy_to_host(all.data() + count, layer.second.value.data(), layer.second.value.bytes());
        return all;
      });
      for (int step = 0; step < 3; ++step) {
        fill("g" + std::to_string(step), -1, 1, host.first.grad.data(), count);
        fill("h" + std::to_string(step), -1, 1, host.second.grad.data(), 5);
        expected.step(host, 0.1);
      }
      CHECK(relative_error(std::span(found.data(), static_cast<std::size_t>(count)), host.first.value) <= 1e-6);
      CHECK(relative_error(std::span(found.data() + count, 5), host.second.value) <= 1e-6);
    }
}

TEST_CASE("SGD's momenta on a device are states by name") {
  const HostMachine m(Schedule::forward());
  HostLayer host{{"first", {3, 2}}, {"second", {7}}};
  DeviceLayer layer = to_device(m, host);
  cuda::Sgd sgd(m, layer);
  fill_gradients(m, host, layer, 0);
  sgd.step(m, layer, 0.1);
  std::vector<std::string> names;
  for_each_state(sgd, [&](const std::string& name, const cuda::DeviceState& state) {
    names.push_back(name);
    if (names.size() == 1) CHECK(state.shape == std::vector<Index>{3, 2});
    CHECK(relative_error(download(m, state.value), names.size() == 1 ? host.first.grad : host.second.grad) <= 1e-6);
  });
  CHECK(names == std::vector<std::string>{"momentum.first", "momentum.second"});
}

TEST_CASE("SGD on a device refuses parameters that it was not made for, and options without meaning") {
  const HostMachine m(Schedule::forward());
  DeviceLayer layer{{m, Parameter{"first", {2}}}, {m, Parameter{"second", {2}, 1.0F}}};
  DeviceLayer renamed{{m, Parameter{"first", {2}}}, {m, Parameter{"third", {2}, 1.0F}}};
  DeviceLayer resized{{m, Parameter{"first", {2}, 1.0F}}, {m, Parameter{"second", {3}, 1.0F}}};
  cuda::Sgd sgd(m, layer);
  CHECK_THROWS_WITH_AS(sgd.step(m, renamed, 0.1),
                       "recal: the optimiser's next parameter is second with 2 numbers, the layer's is third with 2",
                       error);
  CHECK_THROWS_AS(sgd.step(m, resized, 0.1), error);
  CHECK(download(m, resized.first.value) == Buffer<float>{1.0F, 1.0F});
  CHECK_THROWS_AS(cuda::Sgd(m, layer, {.momentum = -0.1}), error);
  CHECK_THROWS_AS(cuda::Sgd(m, layer, {.weight_decay = -0.1}), error);
  CHECK_THROWS_AS(cuda::Sgd(m, layer, {.momentum = 0.0, .nesterov = true}), error);
}
