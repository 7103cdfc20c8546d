// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/field/gather_depthwise.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// All filters see their middle pixel alone.
void set_middle_taps(const HostMachine& m, cuda::GatherDepthwise& pool) {
  for_each_parameter(pool, [&](const std::string& name, cuda::DeviceParameter& p) {
    if (!name.ends_with("weight") || name.find("bn") != std::string::npos) return;
    Buffer<float> taps(static_cast<std::size_t>(p.size()), 0.0F);
    for (std::size_t i = 4; i < taps.size(); i += 9) taps[i] = 2.0F;
    p.value = to_device(m, taps);
  });
}

}  // namespace

TEST_CASE("a level for every halving, with its twin's names; one for a whole map") {
  const HostMachine m;
  std::vector<std::string> names;
  const cuda::GatherDepthwise pool(m, 3, {.extent = 4, .bias = true});
  for_each_parameter(pool, [&](const std::string& name, const auto&) { names.push_back(name); });
  CHECK(names == std::vector<std::string>{"gather.0.weight", "gather.0.bias", "gather.0.bn.weight", "gather.0.bn.bias",
                                          "gather.1.weight", "gather.1.bias", "gather.1.bn.weight",
                                          "gather.1.bn.bias"});
  CHECK(pool.field({2, 3, 9, 5}) == Shape{2, 3, 3, 2});
  const cuda::GatherDepthwise whole(m, 3, {.height = 9, .width = 5});
  CHECK(parameter_count(whole) == 3 * 9 * 5 + 2 * 3);
  CHECK(whole.field({2, 3, 9, 5}) == Shape{2, 3, 1, 1});
  CHECK_THROWS_AS((void)whole.field({2, 3, 5, 9}), error);
  CHECK_THROWS_AS(whole.check_training({1, 3, 9, 5}), error);
}

TEST_CASE("filters of one tap leave every other pixel, normalised: the field by hand") {
  const HostMachine m(Schedule::random(5));
  const Shape shape{2, 3, 7, 6};
  cuda::GatherDepthwise pool(m, 3, {.extent = 2});
  set_middle_taps(m, pool);
  const auto here = random_tensor<float>("x", shape);
  const cuda::DeviceTensor<float> x(m, here);
  const Shape field = pool.field(shape);
  const cuda::DeviceBuffer<double> t(m, field.size());
  cuda::GatherDepthwise::Tape tape;
  pool.begin(m, shape, tape);
  pool.forward(m, TensorView<const float>(x.view()), t.data(), cuda::Pass::train, tape);
  const auto found = download(m, t);
  const Index count = field.n * field.plane();
  for (Index c = 0; c < shape.c; ++c) {
    Buffer<double> seen;
    for (Index i = 0; i < count; ++i)
      seen.push_back(2.0 * double{here(i / field.plane(), c, i / field.w % field.h * 2, i % field.w * 2)});
    double mean = 0;
    double variance = 0;
    for (const double value : seen) mean += value / static_cast<double>(count);
    for (const double value : seen) variance += (value - mean) * (value - mean) / static_cast<double>(count);
    for (Index i = 0; i < count; ++i)
      CHECK(std::abs(at(found, c * count + i) - (at(seen, i) - mean) / std::sqrt(variance + 1e-5)) <= 1e-9);
  }
}
