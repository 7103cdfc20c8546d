// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <span>

#include <doctest/doctest.h>

#include <recal/backend/reference/backend.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/channel_band.hpp>
#include <recal/integrate/identity.hpp>
#include <recal/recalibrate_field.hpp>

#include "tests/support/random_tensor.hpp"

using namespace recal;
using testing::random_tensor;

namespace {

constexpr Shape field_map{2, 5, 6, 7};

/// A pool of one's own whose field is the map itself.
struct EachPixel {
  struct Tape {};

  [[nodiscard]] static Shape field(const Shape& x) { return x; }
  [[nodiscard]] static bool uniform() { return false; }
  static void begin(const Shape&, Mode, Tape&) {}
  template <class Team, class X>
  static void infer(const Team&, Index c, const X& x, std::span<double> t) {
    const Index k = x.shape.plane();
    for (Index n = 0; n < x.shape.n; ++n)
      for (Index i = 0; i < k; ++i) t[static_cast<std::size_t>(n * k + i)] = static_cast<double>(x.plane(n, c)[i]);
  }
  template <class Team, class X>
  static void forward(const Team& team, Index c, const X& x, std::span<double> t, Tape&) {
    infer(team, c, x, t);
  }
  template <class X>
  static void backward(Index, const X&, std::span<const double>, Tape&) {}
  static void pull(Index, Index, const Shape& x, std::span<const double> dt, const Tape&, std::span<double> add) {
    std::copy_n(dt.begin(), x.plane(), add.begin());
  }
  template <class Self, class V>
  static void visit(Self&, V&&) {}
};

/// The gate of an element is the sigmoid of the element `below` channels lower, of 0 where there is none.
template <class B, class Gating>
void check_gating(const B& backend, Gating gating, Index below) {
  const auto x = random_tensor<double>("x", field_map);
  const auto dy = random_tensor<double>("dy", field_map);
  Tensor<double> inferred(field_map);
  Tensor<double> y(field_map);
  Tensor<double> dx(field_map);
  typename Gating::Tape tape;
  gating.infer(backend, x, inferred);
  gating.forward(backend, x, y, tape);
  gating.backward(backend, x, dy, dx, tape);
  Tensor<double> expected(field_map, 0.0);
  const Index step = below * field_map.plane();
  for (Index i = 0; i < field_map.size(); ++i) {
    const bool there = i / field_map.plane() % field_map.c >= below;
    const double gate = 1 / (1 + std::exp(there ? -x.data()[i - step] : 0.0));
    CHECK(std::abs(y.data()[i] - x.data()[i] * gate) <= 1e-12);
    CHECK(inferred.data()[i] == y.data()[i]);
    expected.data()[i] += dy.data()[i] * gate;
    if (there) expected.data()[i - step] += dy.data()[i] * x.data()[i] * gate * (1 - gate);
  }
  for (Index i = 0; i < field_map.size(); ++i) CHECK(std::abs(dx.data()[i] - expected.data()[i]) <= 1e-12);
}

}  // namespace

TEST_CASE("any field pool is recalibrated with, by channel or over channels") {
  ChannelBand<double> band(3);
  band.weight.value = {1.0, 0.0, 0.0};  // each channel looks at the one below
  const Recalibrate by_channel(field_map.c, EachPixel{}, Identity{}, Sigmoid{});
  const Recalibrate over_channels(field_map.c, EachPixel{}, band, Sigmoid{});
  check_gating(Cpu{}, by_channel, 0);
  check_gating(Reference{}, by_channel, 0);
  check_gating(Cpu{}, over_channels, 1);
  check_gating(Reference{}, over_channels, 1);
}
