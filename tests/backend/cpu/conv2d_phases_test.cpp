// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/conv2d_phases.hpp>
#include <recal/backend/reference/conv2d.hpp>

#include "tests/support/conv_check.hpp"

using recal::Index;
using recal::Window;
using recal::cpu::AxisPhase;
using recal::testing::ConvCase;

namespace {

/// Pairs of a pixel and a tap of one axis that belong together, but that no phase or another one has.
int wrong_pairs(const Window& window, Index size) {
  const Index outputs = window.positions(size);
  int wrong = 0;
  for (Index pixel = 0; pixel < size; ++pixel) {
    const AxisPhase phase(window, pixel % window.stride, size);
    const Index u = pixel / window.stride;
    wrong += u >= phase.count;
    for (Index tap = 0; tap < window.kernel; ++tap) {
      const Index distance = pixel + window.padding - tap;
      const bool together = distance % window.stride == 0;
      const Index t = (tap - phase.remainder) / window.stride;
      const bool listed = (tap - phase.remainder) % window.stride == 0 && t >= 0 && t < phase.taps;
      wrong += together != listed;
      if (!together || distance < 0 || distance / window.stride >= outputs) continue;
      wrong += u - phase.padding + (phase.taps - 1 - t) != distance / window.stride;
    }
  }
  return wrong;
}

}  // namespace

TEST_CASE("every pixel and tap that belong together meet in one phase") {
  for (Index kernel = 1; kernel <= 7; ++kernel)
    for (Index stride = 1; stride <= 4; ++stride)
      for (Index padding = 0; padding <= kernel; ++padding)
        for (const Index size : {1, 2, 7, 12})
          if (const Window window{kernel, stride, padding}; window.positions(size) > 0) {
            CAPTURE(kernel);
            CAPTURE(stride);
            CAPTURE(padding);
            CAPTURE(size);
            CHECK(wrong_pairs(window, size) == 0);
          }
}

TEST_CASE("a row is joined from its phases, the last ones shorter where it ends") {
  for (Index stride = 1; stride <= 4; ++stride)
    for (Index length = 1; length <= 11; ++length) {
      std::vector<std::vector<float>> phases(static_cast<std::size_t>(stride));
      for (Index x = 0; x < length; ++x) recal::at(phases, x % stride).push_back(static_cast<float>(x));
      std::vector<float> row(static_cast<std::size_t>(length) + 1, -1);
      recal::cpu::join_row(
          stride, [&](Index f) { return recal::at(phases, f).data(); },
          [&](Index f) { return static_cast<Index>(recal::at(phases, f).size()); }, row.data());
      for (Index x = 0; x < length; ++x) CHECK(recal::at(row, x) == static_cast<float>(x));
      CHECK(row.back() == -1);
    }
}

TEST_CASE("data gradients phase by phase equal the reference, whatever the window") {
  for (const ConvCase& c : {ConvCase{{3, 7, 9, 8}, 5, {3, 2, 1}}, ConvCase{{2, 70, 56, 3}, 9, {3, 2, 1}},
                            ConvCase{{9, 4, 7, 7}, 6, {1, 2, 0}}, ConvCase{{1, 8, 30, 31}, 40, {5, 3, 2}, 2},
                            ConvCase{{2, 3, 10, 11}, 4, {2, 3, 0}}, ConvCase{{2, 3, 6, 5}, 4, {3, 1, 3}},
                            ConvCase{{2, 3, 40, 40}, 4, {3, 1, 1}}, ConvCase{{2, 3, 9, 9}, 4, {4, 4, 4}}}) {
    CAPTURE(to_string(c));
    const auto dy = recal::testing::random_tensor<double>("dy", c.y());
    const auto weight = recal::testing::random_tensor<double>("weight", {1, 1, 1, c.weights()});
    recal::Tensor<double> dx(c.x);
    recal::Tensor<double> expected(c.x);
    recal::cpu::backward_data_phased(std::as_const(dy).view(), weight.data(), dx.view(), c.window, c.groups);
    recal::conv2d_backward_data(recal::Reference{}, std::as_const(dy).view(), weight.data(), expected.view(), c.window,
                                c.groups);
    CHECK(recal::testing::relative_error(dx, expected) <= 1e-13);
  }
}
