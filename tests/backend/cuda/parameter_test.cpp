// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/batch_norm.hpp>
#include <recal/backend/cuda/modules.hpp>
#include <recal/backend/cuda/parameter.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>

#include "tests/support/host_run/machine.hpp"
#include "tests/support/integrate_check.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// A layer of one's own, of a batch norm and a module: on the host as Pair<nn::BatchNorm2d<float>, Srm<>>.
template <class Norm, class Module>
struct Pair {
  Norm norm;
  Module gating;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("bn1", self.norm);
    v("rclb", self.gating);
  }
};

using HostPair = Pair<nn::BatchNorm2d<float>, Srm<>>;

/// No twin of LearnedWeight.
struct KeptWeight {
  cuda::DeviceState weight;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
  }
};

struct LearnedWeight {
  Parameter weight{"weight", {3}};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
  }
};

template <class Layer>
std::vector<Buffer<float>> leaf_values(const Layer& layer) {
  std::vector<Buffer<float>> all;
  for_each_leaf(layer, [&](const std::string&, const auto& leaf) { all.push_back(leaf.value); });
  return all;
}

HostPair pair_with(float value, Index batches) {
  HostPair block{nn::BatchNorm2d<float>(3), Srm<>(3)};
  for_each_leaf(block, [&](const std::string&, auto& leaf) {
    using T = typename std::remove_cvref_t<decltype(leaf.value)>::value_type;
    for (T& number : leaf.value) number = static_cast<T>(value++);
  });
  block.norm.num_batches_tracked.value[0] = batches;
  return block;
}

}  // namespace

TEST_CASE("a device module has its twin's names, and starts as it does") {
  const HostMachine machine(Schedule::forward());
  const Srm<> host(5);
  const cuda::Srm device(machine, 5);
  CHECK(leaf_names(device) == leaf_names(host));
  CHECK(parameter_count(device) == parameter_count(host));
  Srm<> back(5);
  for_each_leaf(back, [](const std::string&, auto& leaf) { leaf.value.assign(leaf.value.size(), 9.0F); });
  cuda::copy_parameters_to_host(machine, device, back);
  CHECK(leaf_values(back) == leaf_values(host));
}

TEST_CASE("whether decay applies is the same on both sides") {
  const HostMachine machine(Schedule::forward());
  const Se<> host(16);
  const cuda::Se<> device(machine, 16, 1);
  std::vector<bool> expected;
  for_each_parameter(host, [&](const auto& p) { expected.push_back(p.decay); });
  std::size_t i = 0;
  for_each_parameter(device, [&](const cuda::DeviceParameter& p) { CHECK(p.decay == expected[i++]); });
}

TEST_CASE("parameters go over with their gradients cleared, and gradients come back") {
  const HostMachine machine(Schedule::forward());
  Se<> host(8, {.reduced = 2, .seed = 5});
  cuda::Se<> device(machine, 8, 2);
  for_each_parameter(device, [&](const cuda::DeviceParameter& p) {
    machine.copy_to_device(p.grad.data(), Buffer<float>(static_cast<std::size_t>(p.size()), 3.0F).data(),
                           p.grad.bytes());
  });
  Se<> back(8, {.reduced = 2});
  cuda::copy_parameters_to_host(machine, device, back);
  for_each_parameter(back, [](const auto& p) { CHECK(p.grad == Buffer<float>(p.grad.size(), 3.0F)); });
  cuda::copy_parameters_to_device(machine, host, device);
  cuda::copy_parameters_to_host(machine, device, back);
  std::vector<Buffer<float>> expected;
  for_each_parameter(host, [&](const auto& p) { expected.push_back(p.value); });
  std::size_t i = 0;
  for_each_parameter(back, [&](const auto& p) {
    CHECK(p.value == expected[i++]);
    CHECK(p.grad == Buffer<float>(p.grad.size(), 0.0F));
  });
  for_each_parameter(device, [&](const cuda::DeviceParameter& p) {
    machine.copy_to_device(p.grad.data(), Buffer<float>(static_cast<std::size_t>(p.size()), 3.0F).data(),
                           p.grad.bytes());
  });
  cuda::zero_gradients(machine, device);
  cuda::copy_parameters_to_host(machine, device, back);
  for_each_parameter(back, [](const auto& p) { CHECK(p.grad == Buffer<float>(p.grad.size(), 0.0F)); });
}

TEST_CASE("a batch norm's count of batches is an integer on the host, and goes over and back with the rest") {
  const HostMachine machine(Schedule::forward());
  const Index most = (1 << 24) - 1;
  for (const Index batches : {Index{0}, Index{7}, most}) {
    const HostPair host = pair_with(2.0F, batches);
    Pair<cuda::BatchNorm2d, cuda::Srm> device{cuda::BatchNorm2d(machine, 3), cuda::Srm(machine, 3)};
    cuda::copy_parameters_to_device(machine, host, device);
    CHECK(cuda::download(machine, device.norm.num_batches_tracked.value)[0] == static_cast<float>(batches));
    HostPair back = pair_with(100.0F, 1);
    cuda::copy_parameters_to_host(machine, device, back);
    CHECK(back.norm.num_batches_tracked.value == host.norm.num_batches_tracked.value);
    CHECK(back.norm.weight.value == host.norm.weight.value);
    CHECK(back.norm.running_var.value == host.norm.running_var.value);
    CHECK(leaf_values(back.gating) == leaf_values(host.gating));
  }
}

TEST_CASE("what is learned on one side and kept on the other is refused") {
  const HostMachine machine(Schedule::forward());
  KeptWeight kept{{machine, {"weight", 3}}};
  CHECK_THROWS_WITH_AS(cuda::copy_parameters_to_device(machine, LearnedWeight{}, kept),
                       doctest::Contains("weight is learned on one side and kept on the other"), error);
}

TEST_CASE("modules that are not twins are refused, and nothing is copied") {
  const HostMachine machine(Schedule::forward());
  cuda::Srm device(machine, 5);
  CHECK_THROWS_WITH_AS(cuda::copy_parameters_to_device(machine, Srm<>(6), device),
                       doctest::Contains("elements on the host and"), error);
  CHECK_THROWS_WITH_AS(cuda::copy_parameters_to_device(machine, Se<>(5), device), doctest::Contains("arrays"), error);
  cuda::Se<> other(machine, 5, 1, false);
  Se<> narrow(5, {.reduced = 1, .bias = true});
  CHECK_THROWS_WITH_AS(cuda::copy_parameters_to_host(machine, other, narrow), doctest::Contains("4 arrays"), error);
}
