// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cuda/field/ge.hpp>
#include <recal/ge.hpp>

#include "tests/support/device_case.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/narrow_tensor.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

GatherOptions gather_of(const Golden& g) {
  return {.extent = static_cast<Index>(g.number("extent")), .height = g.sizes("x")[2], .width = g.sizes("x")[3]};
}

/// A module on the processor and its twin on a machine, with the same parameters, none of which is at a special value.
template <class Host, class Device>
struct Twins {
  Host host;
  Device device;

  Twins(const HostMachine& machine, Host made, Device twin) : host(std::move(made)), device(std::move(twin)) {
    for_each_leaf(host, [](const std::string& name, auto& leaf) {
      if (!io::is_batch_count(name))
        fill(name, name.ends_with("var") ? 0.3 : -0.6, 0.9, leaf.value.data(), leaf.size());
    });
    cuda::copy_parameters_to_device(machine, host, device);
  }
};

/// f(name, twins) for every module at every extent that fits maps of H x W.
template <class F>
void for_each_module(const HostMachine& m, const Shape& x, const F& f) {
  for (const Index extent : {0, 2, 4, 8, 32}) {
    const GatherOptions gather{.extent = extent, .height = x.h, .width = x.w, .bias = extent == 4};
    const std::string name = " with extent " + std::to_string(extent);
    f("minus" + name, Twins(m, GeThetaMinus<>(x.c, extent), cuda::GeThetaMinus(m, x.c, extent)));
    f("theta" + name, Twins(m, GeTheta<>(x.c, gather), cuda::GeTheta(m, x.c, gather)));
    f("plus" + name,
      Twins(m, GeThetaPlus<>(x.c, {.gather = gather, .reduced = 2}), cuda::GeThetaPlus(m, x.c, gather, 2)));
  }
}

/// The largest difference of the arrays' numbers, relative to the largest gradient of all.
template <class Module>
double gradient_error(const Module& found, const Module& expected) {
  std::vector<double> a;
  std::vector<double> b;
  for_each_parameter(found, [&](const auto& p) { a.insert(a.end(), p.grad.begin(), p.grad.end()); });
  for_each_parameter(expected, [&](const auto& p) { b.insert(b.end(), p.grad.begin(), p.grad.end()); });
  return relative_error(a, b);
}

template <class Module>
double state_error(const Module& found, const Module& expected) {
  std::vector<double> a;
  std::vector<double> b;
  for_each_state(found, [&](const auto& s) { a.insert(a.end(), s.value.begin(), s.value.end()); });
  for_each_state(expected, [&](const auto& s) { b.insert(b.end(), s.value.begin(), s.value.end()); });
  return relative_error(a, b);
}

template <class Values>
bool same_bits(const Values& a, const Values& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(*a.data())) == 0;
}

template <class T>
void check_narrow(double half_unit) {
  for (const Shape& shape : {Shape{2, 5, 7, 7}, Shape{3, 4, 13, 11}}) {
    const HostMachine machine(Schedule::forward());
    const auto x = rounded<T>(random_tensor<float>("x", shape));
    const auto dy = rounded<T>(random_tensor<float>("dy", shape));
    for_each_module(machine, shape, [&](const std::string& name, auto twins) {
      CAPTURE(name);
      check_narrow_pass(machine, twins.host, twins.device, x, dy, false, half_unit);
    });
  }
}

}  // namespace

TEST_CASE("GE-theta-minus with extents agrees with the reference vectors") {
  for_each_case("ge_minus_", [](const HostMachine& m, const Golden& g) {
    const Index c = g.sizes("x")[1];
    check_device_case(m, g, GeThetaMinus<>(c, gather_of(g).extent), cuda::GeThetaMinus(m, c, gather_of(g).extent));
  });
}

TEST_CASE("GE-theta agrees with the reference vectors") {
  for_each_case("ge_theta_", [](const HostMachine& m, const Golden& g) {
    const Index c = g.sizes("x")[1];
    check_device_case(m, g, GeTheta<>(c, gather_of(g)), cuda::GeTheta(m, c, gather_of(g)));
  });
}

TEST_CASE("GE-theta-plus agrees with the reference vectors") {
  for_each_case("ge_plus_", [](const HostMachine& m, const Golden& g) {
    const Index c = g.sizes("x")[1];
    const auto reduced = static_cast<Index>(g.number("reduced"));
    check_device_case(m, g, GeThetaPlus<>(c, {.gather = gather_of(g), .reduced = reduced}),
                      cuda::GeThetaPlus(m, c, gather_of(g), reduced));
  });
}

TEST_CASE("GE equals the CPU's on maps of odd sizes, in training, frozen and at inference") {
  for (const Shape& shape : {Shape{3, 3, 5, 9}, Shape{4, 34, 7, 7}, Shape{3, 2, 13, 11}, Shape{5, 3, 1, 1},
                             Shape{3, 2, 1, 6}, Shape{3, 1, 45, 33}, Shape{2, 1, 97, 95}}) {
    CAPTURE(to_string(shape));
    const HostMachine machine(Schedule::forward());
    const auto x = random_tensor<float>("x", shape);
    const auto dy = random_tensor<float>("dy", shape);
    for_each_module(machine, shape, [&](const std::string& name, auto twins) {
      CAPTURE(name);
      for (const bool training : {true, false}) {
        CAPTURE(training);
        auto expected_module = twins.host;
        auto found_module = twins.host;
        cuda::copy_parameters_to_device(machine, twins.host, twins.device);
        const auto found = run_on(machine, twins.device, x, dy, training);
        const auto expected = run_on_processor(expected_module, x, dy, training);
        cuda::copy_parameters_to_host(machine, twins.device, found_module);
        CHECK(relative_error(found.y, expected.y) <= 1e-6);
        CHECK(relative_error(found.dx, expected.dx) <= 1e-6);
        CHECK(gradient_error(found_module, expected_module) <= 1e-6);
        CHECK(state_error(found_module, expected_module) <= 1e-6);
      }
      Tensor<float> y(shape);
      twins.host.infer(x, y);
      cuda::DeviceTensor<float> there(machine, x);
      twins.device.infer(machine, there, there);
      CHECK(relative_error(there.to_host(machine), y) <= 1e-6);
    });
  }
}

TEST_CASE("GE in half and bfloat16 is computed with in float and double") {
  check_narrow<half>(0x1p-11);
  check_narrow<bfloat16>(0x1p-8);
}

TEST_CASE("GE's results are the same to the bit in every order of threads and blocks") {
  for (const Shape& shape : {Shape{2, 5, 7, 7}, Shape{3, 3, 13, 11}, Shape{2, 1, 45, 33}}) {
    const auto x = random_tensor<float>("x", shape);
    const auto dy = random_tensor<float>("dy", shape);
    const auto run = [&](const Schedule& schedule) {
      const HostMachine machine(schedule);
      std::vector<Buffer<float>> results;
      const auto keep = [&](const auto& values) {
        results.emplace_back(values.data(), values.data() + static_cast<std::size_t>(values.size()));
      };
      for_each_module(machine, shape, [&](const std::string&, auto twins) {
        const auto pass = run_on(machine, twins.device, x, dy, true);
        keep(pass.y);
        keep(pass.dx);
        cuda::copy_parameters_to_host(machine, twins.device, twins.host);
        for_each_parameter(twins.host, [&](const auto& p) { keep(p.grad); });
        for_each_state(twins.host, [&](const auto& s) { keep(s.value); });
      });
      return results;
    };
    const auto forward = run(Schedule::forward());
    for (const Schedule& other : {Schedule::reverse(), Schedule::random(7)}) {
      const auto again = run(other);
      REQUIRE(again.size() == forward.size());
      for (std::size_t i = 0; i < forward.size(); ++i) CHECK(same_bits(forward[i], again[i]));
    }
  }
}

TEST_CASE("GE on a channel slice, with the gradient over dy or over x, and gradients that add up") {
  const HostMachine machine(Schedule::random(3));
  const Shape shape{3, 4, 9, 6};
  const auto wide = random_tensor<float>("x", {3, 6, 9, 6});
  const cuda::DeviceTensor<float> wide_there(machine, wide);
  auto slice = from_channel(wide_there.view(), 1);
  slice.shape.c = 4;
  Tensor<float> x(shape);
  for (Index n = 0; n < 3; ++n)
    for (Index c = 0; c < 4; ++c) std::copy_n(wide.view().plane(n, c + 1), shape.plane(), x.view().plane(n, c));
  const auto dy = random_tensor<float>("dy", shape);
  for_each_module(machine, {3, 4, 9, 6}, [&](const std::string& name, auto twins) {
    CAPTURE(name);
    const auto expected = run_on_processor(twins.host, x, dy, true);
    cuda::DeviceTensor<float> y(machine, shape);
    cuda::DeviceTensor<float> over(machine, dy);
    typename decltype(twins.device)::Tape tape;
    twins.device.forward(machine, slice, y, tape);
    twins.device.backward(machine, slice, over, over, tape);
    CHECK(relative_error(y.to_host(machine), expected.y) <= 1e-6);
    CHECK(relative_error(over.to_host(machine), expected.dx) <= 1e-6);

    const cuda::DeviceTensor<float> again(machine, dy);
    cuda::DeviceTensor<float> over_x(machine, x);
    twins.device.backward(machine, over_x, again, over_x, tape);
    CHECK(relative_error(over_x.to_host(machine), expected.dx) <= 1e-6);
    auto twice = twins.host;
    cuda::copy_parameters_to_host(machine, twins.device, twice);
    for_each_parameter(twins.host, [](auto& p) {
      for (float& g : p.grad) g *= 2;
    });
    CHECK(gradient_error(twice, twins.host) <= 1e-6);
  });
}

TEST_CASE("GE refuses what it cannot do before anything is launched") {
  const HostMachine machine(Schedule::forward());
  CHECK_THROWS_WITH_AS(cuda::GeThetaMinus(machine, 4, 6), doctest::Contains("a power of two from 2 on, found 6"),
                       error);
  CHECK_THROWS_WITH_AS(cuda::GeTheta(machine, 4, {}), doctest::Contains("give height and width, found 0 and 0"), error);
  CHECK_THROWS_WITH_AS(cuda::GeTheta(machine, 4, {.extent = -2}), doctest::Contains("found -2"), error);
  CHECK_THROWS_WITH_AS(cuda::GeThetaMinus(machine, 0, 2), doctest::Contains("at least 1 channel, found 0"), error);

  cuda::GeThetaPlus plus(machine, 4, {.extent = 0, .height = 3, .width = 3}, 2);
  cuda::GeTheta four(machine, 4, {.extent = 4});
  cuda::GeThetaPlus::Tape tape;
  cuda::GeTheta::Tape four_tape;
  const cuda::DeviceTensor<float> x(machine, Shape{2, 4, 3, 3});
  const cuda::DeviceTensor<float> one(machine, Shape{1, 4, 3, 3});
  cuda::DeviceTensor<float> y(machine, Shape{2, 4, 3, 3});
  cuda::DeviceTensor<float> one_y(machine, Shape{1, 4, 3, 3});
  cuda::DeviceTensor<float> other(machine, Shape{2, 5, 3, 3});
  cuda::DeviceTensor<float> wider(machine, Shape{2, 4, 3, 4});
  CHECK_THROWS_WITH_AS(plus.forward(machine, other, other, tape),
                       doctest::Contains("the module has 4 channels, the input has shape (N=2, C=5, H=3, W=3)"), error);
  CHECK_THROWS_WITH_AS(plus.forward(machine, x, other, tape),
                       doctest::Contains("has shape (N=2, C=5, H=3, W=3), expected (N=2, C=4, H=3, W=3)"), error);
  CHECK_THROWS_WITH_AS(plus.infer(machine, wider, wider),
                       doctest::Contains("made for maps of 3 by 3, the input has shape (N=2, C=4, H=3, W=4)"), error);
  CHECK_THROWS_WITH_AS(plus.forward(machine, x, x, tape), doctest::Contains("cannot work in place"), error);
  CHECK_THROWS_WITH_AS(plus.forward(machine, one, one_y, tape), doctest::Contains("in training, found 1"), error);
  CHECK_THROWS_WITH_AS(four.forward(machine, one, one_y, four_tape), doctest::Contains("in training, found 1"), error);
  CHECK_THROWS_WITH_AS(plus.backward(machine, x, x, y, tape), doctest::Contains("the tape"), error);
  CHECK(machine.traffic().launches == 0);

  plus.infer(machine, x, y, tape);
  const auto launches = machine.traffic().launches;
  CHECK(launches == 6);
  CHECK_THROWS_WITH_AS(plus.backward(machine, x, x, y, tape), doctest::Contains("the tape is that of infer"), error);
  plus.forward(machine, x, y, tape);
  CHECK_THROWS_WITH_AS(plus.backward(machine, x, other, y, tape), doctest::Contains("dy has shape"), error);
  CHECK_THROWS_WITH_AS(plus.backward(machine, x, x, other, tape), doctest::Contains("dx has shape"), error);
  CHECK(machine.traffic().launches == 2 * launches);
}

TEST_CASE("GE lets empty tensors pass") {
  const HostMachine machine(Schedule::forward());
  for (const Shape& shape : {Shape{0, 4, 3, 3}, Shape{2, 4, 0, 3}})
    for (const Index extent : {2, 4}) {
      const Tensor<float> x(shape);
      cuda::GeThetaMinus minus(machine, 4, extent);
      cuda::GeThetaPlus plus(machine, 4, {.extent = extent}, 2);
      CHECK(run_on(machine, minus, x, x, false).y.shape() == shape);
      CHECK(run_on(machine, plus, x, x, false).y.shape() == shape);
    }
  CHECK(machine.traffic().launches == 0);
}
