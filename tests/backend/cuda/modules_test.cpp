// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cuda/modules.hpp>
#include <recal/gate/hard_sigmoid.hpp>
#include <recal/recal.hpp>

#include "tests/support/device_case.hpp"
#include "tests/support/device_orders.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/narrow_tensor.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// A module on the processor and its twin on a machine, with the same parameters, none of which is left at zero.
template <class Host, class Device>
struct Twins {
  Host host;
  Device device;

  Twins(const HostMachine& machine, Host made, Device twin) : host(std::move(made)), device(std::move(twin)) {
    for_each_leaf(host, [](const std::string& name, auto& leaf) {
      if (io::is_batch_count(name)) return;
      const bool matrix = name.ends_with("weight") && leaf.shape.size() > 1;
      const Range range = matrix ? fill_range(name, leaf.shape) : Range{0.3, 0.9};  // no gate closed or wide open
      fill(name, range.lo, range.hi, leaf.value.data(), leaf.size());
    });
    cuda::copy_parameters_to_device(machine, host, device);
  }
};

/// f(name, twins) for every named module with C channels.
template <class F>
void for_each_module(const HostMachine& m, Index channels, const F& f) {
  const Index reduced = std::max<Index>(1, channels / 16);
  const Index width = ChannelBand<float>::width_for(channels);
  f("SRM", Twins(m, Srm<>(channels), cuda::Srm(m, channels)));
  f("SE", Twins(m, Se<>(channels, {.reduced = reduced}), cuda::Se<>(m, channels, reduced)));
  f("GE", Twins(m, GeThetaMinus<>(channels), cuda::GlobalGeThetaMinus(m, channels)));
  f("ECA", Twins(m, Eca<>(channels), cuda::Eca(m, channels, width)));
  f("GCT", Twins(m, Gct<>(channels), cuda::Gct(m, channels)));
  f("GRN", Twins(m, Grn<>(channels), cuda::Grn(m, channels)));
}

/// The largest difference between the gradients of two modules of one type, relative to each one's largest.
template <class Module>
double gradient_error(const Module& found, const Module& expected) {
  std::vector<Buffer<float>> gradients;
  for_each_parameter(expected, [&](const auto& p) { gradients.push_back(p.grad); });
  std::size_t i = 0;
  double error = 0;
  for_each_parameter(found, [&](const auto& p) { error = std::max(error, relative_error(p.grad, gradients[i++])); });
  return error;
}

Index channels_of(const Golden& g) { return g.sizes("x")[1]; }

}  // namespace

TEST_CASE("SRM on the host run agrees with the reference vectors") {
  for_each_case("srm_", [](const HostMachine& m, const Golden& g) {
    check_device_case(m, g, Srm<>(channels_of(g)), cuda::Srm(m, channels_of(g)));
  });
}

TEST_CASE("SE on the host run agrees with the reference vectors") {
  for_each_case("se_", [](const HostMachine& m, const Golden& g) {
    const auto reduced = static_cast<Index>(g.number("reduced"));
    const Index c = channels_of(g);
    if (g.name().starts_with("se_hard"))
      check_device_case(m, g, Se<float, HardSigmoid>(c, {.reduced = reduced}), cuda::Se<HardSigmoid>(m, c, reduced));
    else
      check_device_case(m, g, Se<>(c, {.reduced = reduced}), cuda::Se<>(m, c, reduced));
  });
}

TEST_CASE("GE, ECA, GCT and GRN on the host run agree with the reference vectors") {
  for_each_case("ge_minus_e0", [](const HostMachine& m, const Golden& g) {
    check_device_case(m, g, GeThetaMinus<>(channels_of(g)), cuda::GlobalGeThetaMinus(m, channels_of(g)));
  });
  for_each_case("eca_", [](const HostMachine& m, const Golden& g) {
    const Index width = g.sizes("param/conv.weight")[2];
    check_device_case(m, g, Eca<>(channels_of(g), width), cuda::Eca(m, channels_of(g), width));
  });
  for_each_case("gct_", [](const HostMachine& m, const Golden& g) {
    check_device_case(m, g, Gct<>(channels_of(g)), cuda::Gct(m, channels_of(g)));
  });
  for_each_case("grn_", [](const HostMachine& m, const Golden& g) {
    check_device_case(m, g, Grn<>(channels_of(g)), cuda::Grn(m, channels_of(g)));
  });
}

namespace {

/// Shapes with these sizes, small ones first: those of at most 200,000 elements and 2048 planes, or all, which take
/// minutes and 8 GB.
std::vector<Shape> swept_shapes(bool whole) {
  std::vector<Shape> shapes;
  for (const Index k : {1, 7, 49, 196, 3136, 12544})
    for (const Index c : {1, 3, 64, 65, 2048})
      for (const Index n : {1, 2, 8})
        if (whole || (n * c * k <= 200000 && n * c <= 2048)) shapes.push_back({n, c, 1, k});
  std::ranges::stable_sort(shapes, {}, &Shape::size);
  return shapes;
}

/// The largest differences between a module on the host run and on the CPU.
struct Differences {
  double y;
  double dx;
  double parameters;
};

template <class Twins>
Differences compare(const HostMachine& machine, Twins twins, const Tensor<float>& x, const Tensor<float>& dy) {
  const bool training = x.shape().n > 1;
  const auto found = run_on(machine, twins.device, x, dy, training);
  auto expected_module = twins.host;
  const auto expected = run_on_processor(expected_module, x, dy, training);
  cuda::copy_parameters_to_host(machine, twins.device, twins.host);
  return {relative_error(found.y, expected.y), relative_error(found.dx, expected.dx),
          gradient_error(twins.host, expected_module)};
}

void print(const std::string& name, const Shape& shape, const Differences& found) {
  std::printf("%s %s: y %.2e, dx %.2e, parameters %.2e\n", name.c_str(), to_string(shape).c_str(), found.y, found.dx,
              found.parameters);
  std::fflush(stdout);
}

}  // namespace

TEST_CASE("every module equals the CPU's, over planes, channels and samples small and large") {
  // With one or two samples the gradients cancel almost, in float on both sides: the CPU's own differ as much from
  // double.
  const bool whole = std::getenv("RECAL_WHOLE_SWEEP") != nullptr;
  for (const Shape& shape : swept_shapes(whole)) {
    CAPTURE(to_string(shape));
    const HostMachine machine(Schedule::forward(), Checks::off);
    const auto x = feature_maps(shape);
    const auto dy = random_tensor<float>("dy", shape);
    for_each_module(machine, shape.c, [&](const std::string& name, auto twins) {
      CAPTURE(name);
      const Differences found = compare(machine, std::move(twins), x, dy);
      if (whole) print(name, shape, found);
      CHECK(found.y <= 1e-6);
      CHECK(found.dx <= (shape.n > 2 ? 1e-6 : 2e-6));
      CHECK(found.parameters <= 2e-5);
    });
  }
}

TEST_CASE("results are the same to the bit in every order of threads and blocks") {
  for (const Shape& shape : {Shape{2, 5, 7, 7}, Shape{3, 4, 14, 14}, Shape{2, 2, 45, 33}}) {
    const auto x = random_tensor<float>("x", shape);
    const auto dy = random_tensor<float>("dy", shape);
    for (const int which : {0, 1, 2, 3, 4, 5}) {
      const auto run = [&](const Schedule& schedule) {
        DevicePass<float> pass;
        int i = 0;
        const HostMachine machine(schedule);
        for_each_module(machine, shape.c, [&](const char*, auto twins) {
          if (i++ == which) pass = run_on(machine, twins.device, x, dy, true);
        });
        return pass;
      };
      const auto forward = run(Schedule::forward());
      for (const Schedule& other : {Schedule::reverse(), Schedule::random(7)}) {
        const auto again = run(other);
        CHECK(same_bits(forward.y, again.y));
        CHECK(same_bits(forward.dx, again.dx));
      }
    }
  }
}

namespace {

template <class T>
void check_narrow(double half_unit) {
  for (const Shape& shape : {Shape{2, 8, 7, 7}, Shape{4, 6, 14, 14}}) {
    const HostMachine machine(Schedule::forward());
    const auto x = rounded<T>(random_tensor<float>("x", shape));
    const auto dy = rounded<T>(random_tensor<float>("dy", shape));
    for_each_module(machine, shape.c, [&](const char* name, auto twins) {
      INFO(std::string(name));
      check_narrow_pass(machine, twins.host, twins.device, x, dy, true, half_unit);
    });
  }
}

}  // namespace

TEST_CASE("half and bfloat16 are computed with in float") {
  check_narrow<half>(0x1p-11);
  check_narrow<bfloat16>(0x1p-8);
}

TEST_CASE("shapes that do not match are refused before anything is launched") {
  const HostMachine machine(Schedule::forward());
  cuda::Srm srm(machine, 4);
  cuda::Srm::Tape tape;
  const cuda::DeviceTensor<float> x(machine, Shape{2, 4, 3, 3});
  cuda::DeviceTensor<float> y(machine, Shape{2, 4, 3, 3});
  cuda::DeviceTensor<float> other(machine, Shape{2, 5, 3, 3});
  cuda::DeviceTensor<float> one(machine, Shape{1, 4, 3, 3});
  const auto launches = machine.traffic().launches;
  CHECK_THROWS_WITH_AS(srm.forward(machine, other, other, tape),
                       doctest::Contains("the module has 4 channels, the input has shape (N=2, C=5, H=3, W=3)"), error);
  CHECK_THROWS_WITH_AS(srm.forward(machine, x, other, tape),
                       doctest::Contains("has shape (N=2, C=5, H=3, W=3), expected (N=2, C=4, H=3, W=3)"), error);
  CHECK_THROWS_WITH_AS(srm.forward(machine, x, x, tape), doctest::Contains("cannot work in place"), error);
  CHECK_THROWS_WITH_AS(srm.forward(machine, one, one, tape), doctest::Contains("cannot work in place"), error);
  CHECK_THROWS_WITH_AS(srm.backward(machine, x, x, y, tape), doctest::Contains("the tape"), error);
  srm.infer(machine, x, y, tape);
  CHECK_THROWS_WITH_AS(srm.backward(machine, x, x, y, tape), doctest::Contains("the tape is that of infer"), error);
  cuda::DeviceTensor<float> one_out(machine, Shape{1, 4, 3, 3});
  CHECK_THROWS_WITH_AS(srm.forward(machine, one, one_out, tape), doctest::Contains("at least 2 values per channel"),
                       error);
  CHECK(machine.traffic().launches == launches + 1);
}

TEST_CASE("empty tensors pass") {
  const HostMachine machine(Schedule::forward());
  for (const Shape& shape : {Shape{0, 4, 3, 3}, Shape{2, 4, 0, 3}})
    for_each_module(machine, 4, [&](const char* name, auto twins) {
      INFO(std::string(name));
      const auto pass = run_on(machine, twins.device, Tensor<float>(shape), Tensor<float>(shape), false);
      CHECK(pass.y.shape() == shape);
    });
}
