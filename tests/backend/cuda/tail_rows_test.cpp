// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/tail_rows.hpp>

#include <algorithm>
#include <cmath>
#include <span>

#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/identity.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/pool/l2.hpp>
#include <recal/pool/max.hpp>

#include "tests/support/derivative.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/noise.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

constexpr Index rows = 3;
constexpr Index row_elements = 5;
constexpr std::size_t count = rows * row_elements;
constexpr double weight = -0.75;
constexpr double bias = 0.25;
constexpr double eps = 1e-2;

template <class P>
double style_of(std::span<const double> y) {
  double squares = 0;
  for (const double value : y) squares += value * value;
  return std::is_same_v<P, Max> ? *std::max_element(y.begin(), y.end()) : std::sqrt(squares);
}

double mean_of(const Buffer<double>& x) {
  double sum = 0;
  for (const double value : x) sum += value;
  return sum / static_cast<double>(x.size());
}

/// sigmoid(pool(y)) y per plane, y = the batch's norm of x: in double, from the definition. No add, no ReLU.
template <class P>
Buffer<double> tail(const Buffer<double>& x) {
  const double mean = mean_of(x);
  double squares = 0;
  for (const double value : x) squares += (value - mean) * (value - mean);
  Buffer<double> y(count);
  for (std::size_t i = 0; i < count; ++i) y[i] = weight * (x[i] - mean) / std::sqrt(squares / count + eps) + bias;
  for (std::size_t first = 0; first < count; first += row_elements) {
    const double gate = 1 / (1 + std::exp(-style_of<P>(std::span<const double>(y).subspan(first, row_elements))));
    for (std::size_t i = first; i < first + row_elements; ++i) y[i] *= gate;
  }
  return y;
}

/// One channel, forward and backward through the rows; y and dx from what the planes are told.
template <class P>
void check_channel() {
  const HostMachine m(Schedule::random(2));
  Buffer<double> x = noise("x", count, 1, 3);
  const Buffer<double> dr = noise("dr", count);
  Buffer<double> moments;
  for (std::size_t n = 0; n < rows; ++n)
    append_state<cuda::TailMoments<P>>(moments, state_of_plane<cuda::TailMoments<P>>(std::span<const double>(x).subspan(
                                                    n * row_elements, row_elements)));
  const auto moments_there = to_device(m, moments);
  const auto learned = to_device(m, Buffer<float>{float{weight}, float{bias}, 0.0F, 0.0F, 0.0F, 1.0F, 0.0F});
  const cuda::DeviceBuffer<double> numbers(m, 2 + 5 * rows);
  const cuda::DeviceBuffer<double> sums_there(m, 2 * rows);
  const cuda::DeviceBuffer<cuda::MapNumbers> maps(m, rows);
  const cuda::DeviceBuffer<cuda::PullNumbers> pulls(m, rows);
  float* f = learned.data();
  double* d = numbers.data();
  const cuda::NormView norm{{f, f + 2}, {f + 1, f + 3}, f + 4, f + 5, f + 6, d, d + 1, eps, 0.1, true};
  d += 2;
  const cuda::TailNumbers<P, Sigmoid> between{{{rows, 1, 1, row_elements}, Mixing::none},
                                              {moments_there.data(), 1},
                                              {sums_there.data(), 1},
                                              d,
                                              d + rows,
                                              d + 2 * rows,
                                              d + 3 * rows,
                                              d + 4 * rows};
  using View = cuda::Identity::View;
  cuda::launch_rows(m, 1, rows,
                    cuda::ChannelTailRows<P, Sigmoid, View>{{{}, norm, between}, {{}, {}, between, maps.data()}});
  const auto map = download(m, maps);
  const Buffer<double> expected = tail<P>(x);
  Buffer<double> sums(static_cast<std::size_t>(2 * rows), 0.0);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& told = map[i / row_elements];
    CHECK(told.lane[0] * (x[i] - told.lane[1]) + told.lane[2] == doctest::Approx(expected[i]).epsilon(1e-5));
    sums[i / row_elements * 2] += dr[i];
    sums[i / row_elements * 2 + 1] += dr[i] * (x[i] - double{static_cast<float>(mean_of(x))});
  }
  m.copy_to_device(sums_there.data(), sums.data(), sums_there.bytes());
  cuda::launch_rows(
      m, 1, rows,
      cuda::ChannelTailGradientRows<P, Sigmoid, View>{{{}, {}, between}, {{}, norm, between, pulls.data()}});
  const auto pull = download(m, pulls);
  Buffer<double> dx;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [affine, pick] = pull[i / row_elements];
    dx.push_back(affine.lane[0] * dr[i] + affine.lane[1] + affine.lane[2] * (x[i] - affine.lane[3]) +
                 (static_cast<float>(x[i]) == pick.lane[1] ? pick.lane[0] : 0.0F));
  }
  CHECK(gradient_error(dx, x, [&] {
          double loss = 0;
          const Buffer<double> y = tail<P>(x);
          for (std::size_t i = 0; i < count; ++i) loss += dr[i] * y[i];
          return loss;
        }) <= 1e-5);
}

}  // namespace

TEST_CASE("norm and gate of a channel are one map of each plane, and its gradient the definition's") {
  check_channel<L2>();
}

TEST_CASE("so they are for a pool of extremes, under a weight that turns them round") { check_channel<Max>(); }

TEST_CASE("which moments a pool looks at") {
  static_assert(std::is_same_v<cuda::TailMoments<L2>, MeanStd>);
  static_assert(std::is_same_v<cuda::TailMoments<Max>, MomentsAndExtremes>);
}
