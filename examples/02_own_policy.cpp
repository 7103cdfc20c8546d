// SPDX-License-Identifier: Apache-2.0
// A pool, an integration and a gate of one's own, and the gradient checker's word on them.
#include <cmath>
#include <cstdio>

#include <recal/recalibrate.hpp>
#include <recal/testing/gradient_check.hpp>

namespace {

using recal::Index;

// own-pool-begin
/// t = mean of x^2. `add` sees scalars and packs of them alike.
struct MeanSquare {
  static constexpr Index width = 1;
  template <class A>
  struct State {
    A squares;
  };
  template <class A>
  static State<A> start(A) {
    return {A(0)};
  }
  template <class A>
  static void add(State<A>& s, A x) {
    s.squares += x * x;
  }
  template <class A>
  static void merge(State<A>& s, const State<A>& other) {
    s.squares += other.squares;
  }
  void finish(const State<double>& s, Index count, double* t) const { t[0] = s.squares / static_cast<double>(count); }
  [[nodiscard]] recal::Pull pull(const double*, const double* dt, Index count) const {
    return {.q = 2 * dt[0] / static_cast<double>(count)};  // dt/dx = 2 x / K
  }
};
// own-pool-end

// own-integrate-begin
/// z[c] = t[c] - mean of t over the sample's channels: how much a channel stands out.
struct StandOut {
  static constexpr auto mixing = recal::Mixing::channels;
  static constexpr Index in = 1;
  static constexpr Index out = 1;
  using Tape = recal::NoTape;

  static void centre(std::span<const double> from, std::span<double> to) {
    double mean = 0;
    for (const double value : from) mean += value / static_cast<double>(from.size());
    for (std::size_t c = 0; c < from.size(); ++c) to[c] = from[c] - mean;
  }
  void infer(Index, std::span<const double> t, std::span<double> z) const { centre(t, z); }
  void forward(Index, std::span<const double> t, std::span<double> z, Tape&) { centre(t, z); }
  void backward(Index, std::span<const double>, std::span<const double> dz, std::span<double> dt, Tape&) {
    centre(dz, dt);  // the map is symmetric
  }
};
// own-integrate-end

// own-gate-begin
/// y = x * 2^z
struct PowerOfTwo {
  static constexpr Index width = 1;
  [[nodiscard]] recal::Affine open(const double* z) const { return {.scale = std::exp2(z[0])}; }
  void pull(const double* z, const recal::Affine& grad, double* dz) const {
    dz[0] = grad.scale * std::exp2(z[0]) * std::log(2.0);
  }
};
// own-gate-end

}  // namespace

int main() {
  recal::Recalibrate<MeanSquare, StandOut, PowerOfTwo> module(16, {}, {});

  recal::Tensor<float> x({4, 16, 14, 14}, 1.0F);
  recal::Tensor<float> y(x.shape());
  module.infer(x, y);  // vectorised, threaded; all channels alike, so the gates are 1
  std::printf("y / x = %g\n", static_cast<double>(y.data()[0] / x.data()[0]));

  const auto report = recal::testing::gradient_check(module, {2, 16, 5, 3});
  std::printf("gradients %s; worst: %s\n", report.good ? "agree" : "DISAGREE", report.text.c_str());
  return report.good ? 0 : 1;
}
