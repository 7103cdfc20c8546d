// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/tail_kernels.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

constexpr Shape shape{2, 3, 5, 8};
const Groups tail_groups{shape, Mixing::none};
const cuda::Split split = cuda::split_planes(shape.n * shape.c, shape.plane(), 4);

template <class Kernel>
void launch(const HostMachine& m, const Kernel& kernel) {
  m.launch({split.blocks(tail_groups.planes()), cuda::plane_threads, cuda::tail_shared_bytes<cuda::CentredDots>},
           kernel);
}

}  // namespace

TEST_CASE("a plane's map is its row's or its channel's, with what follows") {
  const HostMachine m(Schedule::random(1));
  const auto a = random_tensor<float>("x", shape);
  const auto b = random_tensor<float>("shortcut", shape);
  const cuda::DeviceTensor<float> x(m, a);
  const cuda::DeviceTensor<float> shortcut(m, b);
  const cuda::DeviceTensor<float> y(m, shape);
  Buffer<cuda::MapNumbers> numbers;
  for (int i = 0; i < 6; ++i) numbers.push_back({{static_cast<float>(1 + i), 0.5F, -0.25F, 0.0F}});
  const auto maps = to_device(m, numbers);
  for (const bool by_channel : {true, false}) {
    launch(m, cuda::AffineKernel<float, fused::ChannelAffineAddRelu<float>>{
                  tail_groups, split, x.view(), shortcut.view(), y.view(), maps.data(), by_channel});
    const auto found = y.to_host(m);
    for (Index i = 0; i < shape.size(); ++i) {
      const Index c = i / shape.plane() % shape.c;
      const auto scale = static_cast<float>(1 + (by_channel ? c : tail_groups.row(i / shape.plane() / shape.c, c)));
      CHECK(found.data()[i] == doctest::Approx(std::max(0.0F, scale * (a.data()[i] - 0.5F) - 0.25F + b.data()[i])));
    }
  }
}

TEST_CASE("sums of a gradient under its mask, which is written over it; in double where float overflows") {
  for (const float size : {1.0F, 1e30F}) {
    const HostMachine m(Schedule::reverse());
    auto a = random_tensor<float>("x", shape);
    auto g = random_tensor<float>("dy", shape);
    for (Tensor<float>* t : {&a, &g})
      for (Index i = 0; i < shape.size(); ++i) t->data()[i] *= size;
    const auto output = random_tensor<float>("y", shape);
    const cuda::DeviceTensor<float> x(m, a);
    const cuda::DeviceTensor<float> y(m, output);
    const cuda::DeviceTensor<float> dy(m, g);
    const auto means = to_device(m, Buffer<double>{0.1, 0.2, 0.3});
    const cuda::DeviceBuffer<double> numbers(m,
                                             cuda::States<cuda::CentredDots>::size(tail_groups.planes(), split.parts));
    launch(
        m,
        cuda::SumsKernel<float, true>{
            tail_groups, split, x.view(), y.view(), dy.view(), dy.view(), means.data(), {numbers.data(), split.parts}});
    const auto masked = dy.to_host(m);
    Buffer<double> expected(static_cast<std::size_t>(2 * tail_groups.planes()), 0.0);
    Buffer<double> sizes(expected.size(), 0.0);
    for (Index i = 0; i < shape.size(); ++i) {
      const Index c = i / shape.plane() % shape.c;
      const double dr = output.data()[i] > 0 ? g.data()[i] : 0.0F;
      CHECK(masked.data()[i] == static_cast<float>(dr));
      const Index row = tail_groups.row(i / shape.plane() / shape.c, c);
      const double product = dr * (a.data()[i] - double{static_cast<float>(0.1 * static_cast<double>(c + 1))});
      at(expected, 2 * row) += dr;
      at(expected, 2 * row + 1) += product;
      at(sizes, 2 * row) += std::abs(dr);
      at(sizes, 2 * row + 1) += std::abs(product);
    }
    const auto found = download(m, numbers);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(std::abs(found[i] - expected[i]) <= 1e-6 * sizes[i]);
  }
}

TEST_CASE("the pull of a norm is its channel's") {
  const HostMachine m;
  const auto a = random_tensor<float>("x", shape);
  const auto g = random_tensor<float>("dr", shape);
  const cuda::DeviceTensor<float> x(m, a);
  const cuda::DeviceTensor<float> dr(m, g);
  const auto maps = to_device(m, Buffer<cuda::MapNumbers>{{{2, 0.5F, 0.25F, 3}}, {{3, 0, 0, 0}}, {{0, 1, 0, 1}}});
  launch(m, cuda::NormPullKernel<float>{tail_groups, split, x.view(), dr.view(), dr.view(), maps.data()});
  const auto found = dr.to_host(m);
  for (Index i = 0; i < shape.size(); ++i) {
    const float from = g.data()[i];
    const float at_x = a.data()[i];
    const float expected[] = {2 * from + 0.25F + 3 * (at_x - 0.5F), 3 * from, at_x - 1};
    CHECK(found.data()[i] == doctest::Approx(expected[i / shape.plane() % shape.c]).epsilon(1e-6));
  }
}
