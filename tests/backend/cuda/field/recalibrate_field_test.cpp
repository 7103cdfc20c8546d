// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/field/recalibrate_field.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/channel_band.hpp>
#include <recal/backend/cuda/integrate/identity.hpp>
#include <recal/gate/sigmoid.hpp>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

struct CopyKernel {
  TensorView<const float> x;
  double* t;

  template <class Context>
  void operator()(const Context& ctx) const {
    const Index i = ctx.block() * ctx.threads() + ctx.thread();
    const Index k = x.shape.plane();
    if (i < x.shape.size()) ctx.store(t + i, double{ctx.load(x.plane(i / k % x.shape.n, i / k / x.shape.n) + i % k)});
  }
};

/// A pool of one's own whose field is the map itself.
struct EachPixel {
  struct Tape {
    const double* dt = nullptr;
  };
  struct View {
    Shape x;
    const double* dt;
    template <class Context>
    float gradient(const Context& ctx, Index n, Index c, Index i, Index j) const {
      return static_cast<float>(ctx.load(dt + ((c * x.n + n) * x.h + i) * x.w + j));
    }
  };

  [[nodiscard]] static Shape field(const Shape& x) { return x; }
  template <class M>
  void begin(const M&, const Shape&, Tape&) const {}
  template <class M>
  void forward(const M& m, const TensorView<const float>& x, double* t, cuda::Pass, Tape&) const {
    m.launch({(x.shape.size() + 31) / 32, 32}, CopyKernel{x, t});
  }
  template <class M>
  void backward(const M&, const TensorView<const float>&, const double* dt, cuda::Pass, Tape& tape) const {
    tape.dt = dt;
  }
  [[nodiscard]] static View view(const Shape& x, const Tape& tape) { return {x, tape.dt}; }
  template <class Self, class V>
  static void visit(Self&, V&&) {}
};

constexpr Shape shape{2, 5, 6, 7};

/// Launches of forward and of backward. CHECKs both by the definition: the gate of an element is the sigmoid of the
/// element `below` channels lower, of 0 where there is none.
template <class Gating>
std::pair<Index, Index> launches(const HostMachine& m, const Gating& gating, Index below) {
  const auto a = random_tensor<float>("x", shape);
  const auto b = random_tensor<float>("dy", shape);
  const cuda::DeviceTensor<float> x(m, a);
  const cuda::DeviceTensor<float> dy(m, b);
  const cuda::DeviceTensor<float> y(m, shape);
  typename Gating::Tape tape;
  const auto before = static_cast<Index>(m.traffic().launches);
  gating.forward(m, x, y, tape);
  const auto between = static_cast<Index>(m.traffic().launches);
  gating.backward(m, x, dy, dy, tape);
  const auto found = y.to_host(m);
  const auto dx = dy.to_host(m);
  Tensor<double> expected(shape, 0.0);
  const Index step = below * shape.plane();
  for (Index i = 0; i < shape.size(); ++i) {
    const bool there = i / shape.plane() % shape.c >= below;
    const double gate = 1 / (1 + std::exp(there ? -double{a.data()[i - step]} : 0.0));
    CHECK(std::abs(found.data()[i] - a.data()[i] * gate) <= 1e-6);
    expected.data()[i] += b.data()[i] * gate;
    if (there) expected.data()[i - step] += double{b.data()[i]} * double{a.data()[i]} * gate * (1 - gate);
  }
  for (Index i = 0; i < shape.size(); ++i) CHECK(std::abs(dx.data()[i] - expected.data()[i]) <= 1e-6);
  return {between - before, static_cast<Index>(m.traffic().launches) - between};
}

}  // namespace

TEST_CASE("any field pool is recalibrated with, by channel or over channels, in the launches that are said") {
  const HostMachine m(Schedule::random(1));
  const cuda::Recalibrate by_channel(shape.c, EachPixel{}, cuda::Identity{}, Sigmoid{});
  CHECK(launches(m, by_channel, 0) == std::pair<Index, Index>{3, 3});  // one of forward is the pool's
  cuda::ChannelBand band(m, 3);
  band.weight.value = to_device(m, Buffer<float>{1.0F, 0.0F, 0.0F});  // each channel looks at the one below
  const cuda::Recalibrate over_channels(shape.c, EachPixel{}, band, Sigmoid{});
  CHECK(launches(m, over_channels, 1) == std::pair<Index, Index>{5, 6});
}
