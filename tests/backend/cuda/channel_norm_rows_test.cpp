// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/channel_norm_rows.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/device_array.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/noise.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

using doctest::Approx;

constexpr Index elements = 6;
constexpr double eps = 1e-5;

/// A channel of `rows` planes and its arrays on a machine; running statistics begin at 1 and 2, batches at 4.
struct Channel {
  Index rows;
  Buffer<double> x;
  Buffer<double> dr;
  cuda::DeviceBuffer<float> learned;  // weight 1.5, bias -0.5, and their gradients 0.25, 0.75
  cuda::DeviceBuffer<float> running;
  cuda::DeviceBuffer<double> tape;
  cuda::DeviceBuffer<cuda::MapNumbers> map;

  Channel(const HostMachine& m, Index count)
      : rows(count),
        x(noise("x", count * elements, 99, 103)),
        dr(noise("dr", count * elements)),
        tape(m, 2),
        map(m, 1) {
    learned = to_device(m, Buffer<float>{1.5F, -0.5F, 0.25F, 0.75F});
    running = to_device(m, Buffer<float>{1.0F, 2.0F, 4.0F});
  }
  [[nodiscard]] Groups groups() const { return {{rows, 1, 1, elements}, Mixing::none}; }
  [[nodiscard]] cuda::NormView norm(bool of_batch) const {
    float* p = learned.data();
    float* r = running.data();
    return {{p, p + 2}, {p + 1, p + 3}, r, r + 1, r + 2, tape.data(), tape.data() + 1, eps, 0.1, of_batch};
  }
  [[nodiscard]] double count() const { return static_cast<double>(x.size()); }
  [[nodiscard]] double mean() const {
    double sum = 0;
    for (const double value : x) sum += value;
    return sum / count();
  }
  [[nodiscard]] double squares() const {
    double sum = 0;
    for (const double value : x) sum += (value - mean()) * (value - mean());
    return sum;
  }
};

cuda::MapNumbers run_forward(const HostMachine& m, const Channel& channel, bool of_batch) {
  Buffer<double> states;
  for (Index n = 0; n < channel.rows; ++n)
    append_state<MeanStd>(states, state_of_plane<MeanStd>(
                                      std::span(channel.x).subspan(static_cast<std::size_t>(n * elements), elements)));
  const auto there = to_device(m, states);
  cuda::launch_rows(
      m, 1, channel.rows,
      cuda::NormForwardRows{channel.norm(of_batch), channel.groups(), {there.data(), 1}, channel.map.data()});
  return download(m, channel.map)[0];
}

}  // namespace

TEST_CASE("batch norm of a channel: its map and its running statistics are the definition's") {
  for (const Index rows : {1, 3, 50}) {
    const HostMachine m(Schedule::random(1));
    const Channel channel(m, rows);
    const auto map = run_forward(m, channel, true);
    const double scale = 1.5 / std::sqrt(channel.squares() / channel.count() + eps);
    CHECK(map.lane[0] == Approx(scale).epsilon(1e-6));
    CHECK(map.lane[2] + map.lane[0] * (channel.mean() - map.lane[1]) == Approx(-0.5).epsilon(1e-6));
    const auto running = download(m, channel.running);
    CHECK(running[0] == Approx(0.9 + 0.1 * channel.mean()).epsilon(1e-6));
    CHECK(running[1] == Approx(1.8 + 0.1 * channel.squares() / (channel.count() - 1)).epsilon(1e-6));
    CHECK(running[2] == 5.0F);
  }
}

TEST_CASE("with running statistics they are taken and left as they are") {
  const HostMachine m;
  const Channel channel(m, 3);
  const auto map = run_forward(m, channel, false);
  CHECK(map.lane[0] == Approx(1.5 / std::sqrt(2.0 + eps)).epsilon(1e-6));
  CHECK(map.lane[1] == 1.0F);
  CHECK(download(m, channel.running) == Buffer<float>{1.0F, 2.0F, 4.0F});
}

TEST_CASE("the gradient through the batch's statistics is the definition's, and gradients add up") {
  for (const Index rows : {2, 50}) {
    const HostMachine m(Schedule::reverse());
    const Channel channel(m, rows);
    const double centre = run_forward(m, channel, true).lane[1];
    Buffer<double> states(static_cast<std::size_t>(2 * rows), 0.0);
    const double inverse = 1 / std::sqrt(channel.squares() / channel.count() + eps);
    double along = 0;  // sum dr xhat
    double total = 0;
    for (std::size_t i = 0; i < channel.x.size(); ++i) {
      states[i / elements * 2] += channel.dr[i];
      states[i / elements * 2 + 1] += channel.dr[i] * (channel.x[i] - centre);
      total += channel.dr[i];
      along += channel.dr[i] * (channel.x[i] - channel.mean()) * inverse;
    }
    const auto there = to_device(m, states);
    cuda::launch_rows(
        m, 1, rows,
        cuda::NormBackwardRows{channel.norm(true), channel.groups(), {there.data(), 1}, channel.map.data()});
    const auto pull = download(m, channel.map)[0];
    for (std::size_t i = 0; i < channel.x.size(); ++i) {
      const double hat = (channel.x[i] - channel.mean()) * inverse;
      const double dx = 1.5 * inverse * (channel.dr[i] - (total + hat * along) / channel.count());
      CHECK(pull.lane[0] * channel.dr[i] + pull.lane[2] + pull.lane[3] * (channel.x[i] - pull.lane[1]) ==
            Approx(dx).epsilon(1e-5));
    }
    const auto learned = download(m, channel.learned);
    CHECK(learned[2] == Approx(0.25 + along).epsilon(1e-5));
    CHECK(learned[3] == Approx(0.75 + total).epsilon(1e-5));
  }
}
