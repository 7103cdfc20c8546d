// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/integrate/channel_band.hpp>

#include "tests/support/integrate_check.hpp"

using recal::Buffer;
using recal::ChannelBand;
using recal::Index;
using namespace recal::testing;

TEST_CASE("the width follows the number of channels") {
  const auto width_for = ChannelBand<float>::width_for;
  CHECK(width_for(1) == 3);
  CHECK(width_for(16) == 3);
  CHECK(width_for(64) == 3);
  CHECK(width_for(128) == 5);
  CHECK(width_for(256) == 5);
  CHECK(width_for(512) == 5);
  CHECK(width_for(1024) == 5);
  CHECK(width_for(2048) == 7);
}

TEST_CASE("a filter over neighbours, zeros outside; wider than the channels too") {
  for (const Index width : {1, 3, 5, 9}) {
    ChannelBand<double> band(width);
    randomise(band);
    const IntegrateWalk walk(band, {.groups = 2, .rows = 6});
    Buffer<double> expected;
    for (Index s = 0; s < 2; ++s)
      for (Index c = 0; c < 6; ++c) {
        expected.push_back(0);
        for (Index j = 0; j < width; ++j) {
          const Index from = c + j - (width - 1) / 2;
          if (from >= 0 && from < 6)
            expected.back() += recal::at(band.weight.value, j) * recal::at(walk.t, 6 * s + from);
        }
      }
    CHECK(relative_error(walk.forward(), expected) < 1e-15);
    CHECK(walk.infer() == walk.forward());
  }
}

TEST_CASE("gradients are those of difference quotients") {
  for (const Index width : {1, 3, 7}) {
    ChannelBand<double> band(width);
    CHECK(IntegrateWalk(band, {.groups = 3, .rows = 5}).gradient_error() < 1e-9);
    CHECK(IntegrateWalk(band, {.groups = 1, .rows = 1}).gradient_error() < 1e-9);
  }
}

TEST_CASE("no samples leave the gradient as it is") {
  ChannelBand<double> band(3);
  recal::NoTape tape;
  band.parameter_gradients(0, {}, {}, tape);
  for (const double value : band.weight.grad) CHECK(value == 0);
}

TEST_CASE("the weight is conv.weight (1, 1, k), within 1/sqrt(k), by the seed") {
  const ChannelBand<double> band(5, 1);
  CHECK(leaf_names(band) == std::vector<std::string>{"conv.weight"});
  CHECK(band.weight.shape == std::vector<Index>{1, 1, 5});
  for (const double value : band.weight.value) CHECK(std::abs(value) <= 1 / std::sqrt(5.0));
  CHECK(band.weight.value != ChannelBand<double>(5, 2).weight.value);
}

TEST_CASE("even and empty filters, and no channels, are refused") {
  CHECK_THROWS_WITH_AS(ChannelBand<float>(4), "recal: a filter over channels needs an odd width, found 4",
                       recal::error);
  CHECK_THROWS_AS(ChannelBand<float>(0), recal::error);
  CHECK_THROWS_AS(ChannelBand<float>(-3), recal::error);
  CHECK_THROWS_WITH_AS(static_cast<void>(ChannelBand<float>::width_for(0)),
                       "recal: a filter over channels needs at least 1 channel, found 0", recal::error);
}
