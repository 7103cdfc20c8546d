// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>

#include <doctest/doctest.h>

#include <recal/backend/cuda/modules.hpp>
#include <recal/core/host_device.hpp>
#include <recal/integrate/channel_wise.hpp>
#include <recal/pool/max.hpp>
#include <recal/recalibrate.hpp>

#include "tests/support/device_case.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// A user's pool: the mean square. The same text on the processor and on a device.
struct MeanSquare {
  static constexpr Index width = 1;

  template <class A>
  struct State {
    A squares;
  };
  template <class A>
  RECAL_HOST_DEVICE static State<A> start(A) {
    return {A(0)};
  }
  template <class A>
  RECAL_HOST_DEVICE static void add(State<A>& s, A x) {
    s.squares += x * x;
  }
  template <class A>
  RECAL_HOST_DEVICE static void merge(State<A>& s, const State<A>& other) {
    s.squares += other.squares;
  }
  RECAL_HOST_DEVICE void finish(const State<double>& s, Index count, double* t) const {
    t[0] = s.squares / static_cast<double>(count);
  }
  [[nodiscard]] RECAL_HOST_DEVICE Pull pull(const double*, const double* dt, Index count) const {
    return {.q = 2 * dt[0] / static_cast<double>(count)};
  }
};

/// A user's gate.
struct Softplus {
  static constexpr Index width = 1;
  [[nodiscard]] RECAL_HOST_DEVICE Affine open(const double* z) const { return {.scale = std::log1p(std::exp(z[0]))}; }
  RECAL_HOST_DEVICE void pull(const double* z, const Affine& grad, double* dz) const {
    dz[0] = grad.scale / (1 + std::exp(-z[0]));
  }
};

template <class P, class G>
void check_own(const P& pool, const G& gate, const Shape& shape) {
  using Host = Recalibrate<P, ChannelWise<float, 1>, G>;
  using Device = cuda::Recalibrate<P, cuda::ChannelWise<1>, G>;
  const HostMachine machine(Schedule::random(1));
  Host host(shape.c, pool, ChannelWise<float, 1>(shape.c), gate);
  for_each_parameter(host, [](const std::string& name, auto& p) { fill(name, 0.5, 1.5, p.value.data(), p.size()); });
  Device device(shape.c, pool, cuda::ChannelWise<1>(machine, shape.c), gate);
  cuda::copy_parameters_to_device(machine, host, device);
  const auto x = random_tensor<float>("x", shape);
  const auto dy = random_tensor<float>("dy", shape);
  const auto found = run_on(machine, device, x, dy, true);
  Tensor<float> y(shape);
  Tensor<float> dx(shape);
  typename Host::Tape tape;
  host.forward(x, y, tape);
  host.backward(x, dy, dx, tape);
  CHECK(relative_error(found.y, y) <= 1e-6);
  CHECK(relative_error(found.dx, dx) <= 1e-6);
}

}  // namespace

TEST_CASE("a user's pool and gate run unchanged") {
  for (const Shape& shape : {Shape{2, 3, 7, 7}, Shape{2, 2, 40, 40}}) check_own(MeanSquare{}, Softplus{}, shape);
}

TEST_CASE("a pool that picks an element") {
  for (const Shape& shape : {Shape{2, 3, 7, 7}, Shape{2, 3, 8, 8}, Shape{2, 2, 40, 40}, Shape{1, 1, 128, 128}})
    check_own(Max{}, Sigmoid{}, shape);
}

TEST_CASE("inference in place, and gradients in the place of x or dy") {
  for (const Shape& shape : {Shape{2, 3, 7, 7}, Shape{1, 1, 128, 128}}) {
    const HostMachine machine(Schedule::forward());
    const cuda::Recalibrate<Max, cuda::ChannelWise<1>, Sigmoid> module(shape.c, Max{},
                                                                       cuda::ChannelWise<1>(machine, shape.c));
    upload(machine, std::span<const float>(Buffer<float>(static_cast<std::size_t>(shape.c), 0.5F)),
           const_cast<cuda::DeviceBuffer<float>&>(module.integrate().cfc.value));
    const auto x_here = random_tensor<float>("x", shape);
    const auto dy_here = random_tensor<float>("dy", shape);
    const auto expected = run_on(machine, module, x_here, dy_here, true);

    cuda::DeviceTensor<float> x(machine, x_here);
    module.infer(machine, x, x);
    CHECK(relative_error(x.to_host(machine), expected.y) == 0);

    for (const bool over_x : {true, false}) {
      x.copy_from(machine, x_here);
      cuda::DeviceTensor<float> dy(machine, dy_here);
      cuda::DeviceTensor<float> y(machine, shape);
      typename std::remove_const_t<decltype(module)>::Tape tape;
      module.forward(machine, x, y, tape);
      module.backward(machine, x, dy, over_x ? x : dy, tape);
      CHECK(relative_error((over_x ? x : dy).to_host(machine), expected.dx) <= 1e-6);
    }
  }
}

TEST_CASE("planes may lie apart") {
  const HostMachine machine(Schedule::forward());
  const Shape shape{2, 3, 7, 7};
  const auto x = random_tensor<float>("x", shape);
  const cuda::Srm srm(machine, shape.c);
  const cuda::DeviceTensor<float> dense(machine, x);
  cuda::DeviceTensor<float> expected(machine, shape);
  srm.infer(machine, dense, expected);

  StridedTensor<float> here(x);
  const TensorView<float> view = here.view();
  const Index count = 2 * view.stride_n;
  Buffer<float> raw(static_cast<std::size_t>(count), -5.0F);
  for (Index n = 0; n < shape.n; ++n)
    for (Index c = 0; c < shape.c; ++c)
      std::copy_n(view.plane(n, c), shape.plane(), raw.data() + n * view.stride_n + c * view.stride_c);
  cuda::DeviceBuffer<float> there;
  upload(machine, std::span<const float>(raw), there);
  const TensorView<float> apart(there.data(), shape, view.stride_n, view.stride_c);
  srm.infer(machine, apart, apart);
  const Buffer<float> result = download(machine, there);
  const TensorView<const float> found(result.data(), shape, view.stride_n, view.stride_c);
  CHECK(relative_error(found, expected.to_host(machine)) == 0);
  Index untouched = 0;
  for (const float value : result) untouched += value == -5.0F;
  CHECK(untouched == count - shape.size());
}

TEST_CASE("gradients of parameters add up") {
  const HostMachine machine(Schedule::forward());
  const Shape shape{3, 4, 5, 5};
  cuda::Srm srm(machine, shape.c);
  const auto x = random_tensor<float>("x", shape);
  const auto dy = random_tensor<float>("dy", shape);
  static_cast<void>(run_on(machine, srm, x, dy, true));
  const auto once = download(machine, srm.integrate().second.bias.grad);
  static_cast<void>(run_on(machine, srm, x, dy, true));
  const auto twice = download(machine, srm.integrate().second.bias.grad);
  for (std::size_t i = 0; i < once.size(); ++i) CHECK(twice[i] == 2 * once[i]);
}
