// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/field/kernels.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/identity.hpp>
#include <recal/gate/sigmoid.hpp>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/noise.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

constexpr Shape map_shape{2, 3, 7, 5};
constexpr Shape field_shape{2, 3, 3, 2};

/// The number of the field, which lies by channel, that pixel k of plane (n, c) has.
Index position_of(Index n, Index c, Index k) {
  return (c * field_shape.n + n) * field_shape.plane() +
         nearest(k / map_shape.w, map_shape.h, field_shape.h) * field_shape.w +
         nearest(k % map_shape.w, map_shape.w, field_shape.w);
}

/// f(element of a tensor, number of the field)
template <class F>
void for_each_pixel(const F& f) {
  for (Index i = 0; i < map_shape.size(); ++i)
    f(i, position_of(i / map_shape.plane() / map_shape.c, i / map_shape.plane() % map_shape.c, i % map_shape.plane()));
}

/// A share of the gradient that says which pixel it is for.
struct PixelView {
  template <class Context>
  float gradient(const Context&, Index n, Index c, Index i, Index j) const {
    return static_cast<float>(((n * map_shape.c + c) * map_shape.h + i) * map_shape.w + j);
  }
};

}  // namespace

TEST_CASE("a matrix of any size is transposed") {
  for (const Index rows : {1, 32, 33, 70})
    for (const Index columns : {1, 31, 64, 100}) {
      const HostMachine m(Schedule::random(4));
      const Buffer<double> numbers = noise("matrix", rows * columns);
      const auto from = to_device(m, numbers);
      const cuda::DeviceBuffer<double> to(m, rows * columns);
      using Kernel = cuda::TransposeKernel<double>;
      const Kernel kernel{rows, columns, from.data(), to.data()};
      m.launch({kernel.blocks(), cuda::plane_threads, Kernel::shared_bytes}, kernel);
      const auto found = download(m, to);
      Index wrong = 0;
      for (Index i = 0; i < rows * columns; ++i) wrong += at(found, i % columns * rows + i / columns) != at(numbers, i);
      CHECK(wrong == 0);
    }
}

TEST_CASE("each pixel has the gate of its position, and its pool's share of the gradient") {
  const HostMachine m(Schedule::reverse());
  const Tensor<float> from = random_tensor<float>("x", map_shape);
  const Buffer<float> numbers = noise<float>("gates", field_shape.size());
  const cuda::DeviceTensor<float> x(m, from);
  const cuda::DeviceTensor<float> y(m, map_shape);
  const auto gates = to_device(m, numbers);
  const auto split = cuda::split_pixels(map_shape, 4);
  const cuda::Launch launch{split.blocks(map_shape), cuda::plane_threads};
  m.launch(launch, cuda::FieldApplyKernel<float, float>{split, field_shape, x.view(), y.view(), gates.data()});
  const auto applied = y.to_host(m);
  m.launch(launch,
           cuda::FieldPullKernel<float, float, PixelView>{split, field_shape, x.view(), y.view(), gates.data(), {}});
  const auto pulled = y.to_host(m);
  for_each_pixel([&](Index i, Index p) {
    const float direct = from.data()[i] * at(numbers, p);
    CHECK(applied.data()[i] == direct);
    CHECK(pulled.data()[i] == direct + static_cast<float>(i));
  });
}

TEST_CASE("a gate's gradient is the sum of dy x over its pixels, and from there through gate and integration") {
  const HostMachine m(Schedule::random(1));
  const Tensor<float> a = random_tensor<float>("x", map_shape);
  const Tensor<float> b = random_tensor<float>("dy", map_shape);
  const cuda::DeviceTensor<float> x(m, a);
  const cuda::DeviceTensor<float> dy(m, b);
  const Buffer<double> t = noise("t", field_shape.size());
  const auto style = to_device(m, t);
  const cuda::DeviceBuffer<double> grad(m, field_shape.size());
  const cuda::DeviceBuffer<double> z(m, field_shape.size());
  const cuda::DeviceBuffer<double> grad_style(m, field_shape.size());
  const cuda::DeviceBuffer<float> gates(m, field_shape.size());
  const auto split = cuda::split_positions(field_shape, 3, 3);
  m.launch({split.blocks(field_shape), cuda::plane_threads},
           cuda::GateGradientKernel<float, float>{split, field_shape, x.view(), dy.view(), grad.data()});
  const cuda::Launch groups{field_shape.c, 32, cuda::BlockLanes<int>::shared_bytes};
  const Index rows = field_shape.n * field_shape.plane();
  using View = cuda::Identity::View;
  m.launch(groups, cuda::FieldForwardKernel<Sigmoid, View>{{}, {}, rows, style.data(), z.data(), gates.data()});
  m.launch(groups, cuda::FieldBackwardKernel<Sigmoid, View>{
                       {}, {}, rows, style.data(), z.data(), grad.data(), grad_style.data()});
  Buffer<double> sums(static_cast<std::size_t>(field_shape.size()), 0.0);
  for_each_pixel([&](Index i, Index p) { at(sums, p) += double{a.data()[i]} * double{b.data()[i]}; });
  const auto opened = download(m, gates);
  const auto found = download(m, grad_style);
  for (std::size_t p = 0; p < sums.size(); ++p) {
    const double gate = 1 / (1 + std::exp(-t[p]));
    CHECK(opened[p] == static_cast<float>(gate));
    CHECK(std::abs(found[p] - sums[p] * gate * (1 - gate)) <= 1e-12);
  }
}
