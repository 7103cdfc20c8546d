// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/finish.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/random_tensor.hpp"

using namespace recal;
using recal::testing::random_tensor;

namespace {

constexpr Index finished_channels = 40;

/// Sums of all channels at all pixels, and everything that may be done to them.
struct FinishCase {
  Shape shape;
  Tensor<float> sums = random_tensor<float>("sums", shape);
  Tensor<float> shortcut = random_tensor<float>("shortcut", shape);
  Tensor<float> scale = random_tensor<float>("scale", {1, 1, 1, finished_channels});
  Tensor<float> shift = random_tensor<float>("shift", {1, 1, 1, finished_channels});

  /// The i-th of all combinations.
  [[nodiscard]] ConvFinish<float> finish(int i) const {
    ConvFinish<float> f;
    if ((i & 1) != 0) f.scale = scale.data();
    if ((i & 2) != 0) f.shift = shift.data();
    if ((i & 4) != 0) f.shortcut = shortcut.view();
    f.relu = (i & 8) != 0;
    return f;
  }

  [[nodiscard]] double expected(const ConvFinish<float>& f, Index n, Index c, Index k) const {
    double y = static_cast<double>(sums.view().plane(n, c)[k]) * static_cast<double>(f.scale_of(c)) +
               static_cast<double>(f.shift_of(c));
    if (f.shortcut.data != nullptr) y += static_cast<double>(f.shortcut.plane(n, c)[k]);
    return f.relu ? std::max(0.0, y) : y;
  }
};

}  // namespace

TEST_CASE("write_pixels turns sums into planes, finished, and writes nothing else") {
  constexpr Index width = cpu::Block<float>::columns;
  for (const Index plane : {1, 3, 16, 19, 49})
    for (int i = 0; i < 16; ++i)
      for (const Index channels : {Index{1}, Index{5}, width}) {
        const FinishCase c{{2, finished_channels, 1, plane}};
        const ConvFinish<float> finish = c.finish(i);
        constexpr Index first_channel = 3;
        const cpu::ImageRun run{1, plane / 3, plane - plane / 3};
        Buffer<float> turned(static_cast<std::size_t>((run.count + 1) * width), 7.0F);
        for (Index p = 0; p < run.count; ++p)
          for (Index j = 0; j < channels; ++j)
            at(turned, p * width + j) = c.sums.view().plane(1, first_channel + j)[run.first + p];
        Tensor<float> y(c.shape, 100.0F);
        cpu::write_pixels(run, first_channel, channels, turned.data(), y.view(), finish);
        int wrong = 0;
        for (Index n = 0; n < 2; ++n)
          for (Index o = 0; o < finished_channels; ++o)
            for (Index k = 0; k < plane; ++k) {
              const bool own = n == 1 && o >= first_channel && o < first_channel + channels && k >= run.first;
              const double expected = own ? c.expected(finish, n, o, k) : 100.0;
              wrong += !(std::abs(static_cast<double>(y.view().plane(n, o)[k]) - expected) <= 1e-6);
            }
        CAPTURE(plane);
        CAPTURE(i);
        CAPTURE(channels);
        CHECK(wrong == 0);
      }
}

TEST_CASE("finish_planes does to planes in place what a finish says") {
  for (int i = 0; i < 16; ++i) {
    const FinishCase c{{2, finished_channels, 3, 7}};
    const ConvFinish<float> finish = c.finish(i);
    Tensor<float> y = c.sums;
    cpu::finish_planes(finish, y.view());
    int wrong = 0;
    for (Index n = 0; n < 2; ++n)
      for (Index o = 0; o < finished_channels; ++o)
        for (Index k = 0; k < 21; ++k)
          wrong += !(std::abs(static_cast<double>(y.view().plane(n, o)[k]) - c.expected(finish, n, o, k)) <= 1e-6);
    CAPTURE(i);
    CHECK(wrong == 0);
  }
}

TEST_CASE("what is not finite stays so, ReLU included") {
  Buffer<float> sums(static_cast<std::size_t>(cpu::Block<float>::columns), 0.0F);
  sums[0] = NAN;
  sums[1] = -INFINITY;
  Tensor<float> y(Shape{1, 2, 1, 1});
  cpu::write_pixels({0, 0, 1}, 0, 2, sums.data(), y.view(), ConvFinish<float>{});
  CHECK(std::isnan(y.data()[0]));
  CHECK(y.data()[1] == -INFINITY);
  cpu::write_pixels({0, 0, 1}, 0, 2, sums.data(), y.view(), ConvFinish<float>{.relu = true});
  CHECK(std::isnan(y.data()[0]));
  CHECK(y.data()[1] == 0.0F);
}
