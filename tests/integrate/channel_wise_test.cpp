// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/integrate/channel_wise.hpp>

#include "tests/support/integrate_check.hpp"

using recal::ChannelWise;
using recal::Index;
using namespace recal::testing;

TEST_CASE("every channel weighs the numbers of its rows") {
  ChannelWise<double, 2> cfc(3);
  randomise(cfc);
  const IntegrateWalk walk(cfc, {.groups = 3, .rows = 4});
  recal::Buffer<double> expected;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t n = 0; n < 4; ++n)
      expected.push_back(cfc.cfc.value[2 * c] * walk.t[2 * (4 * c + n)] +
                         cfc.cfc.value[2 * c + 1] * walk.t[2 * (4 * c + n) + 1]);
  CHECK(relative_error(walk.forward(), expected) < 1e-15);
  CHECK(walk.infer() == walk.forward());
}

TEST_CASE("gradients are those of difference quotients, for every width") {
  const auto check = [](auto cfc) {
    randomise(cfc);
    for (const Index rows : {1, 2, 7}) CHECK(IntegrateWalk(cfc, {.groups = 4, .rows = rows}).gradient_error() < 1e-9);
  };
  check(ChannelWise<double, 1>(4));
  check(ChannelWise<double, 2>(4));
  check(ChannelWise<double, 5>(4));
}

TEST_CASE("a block of channels, sample by sample, is the channels one by one") {
  const auto check = [](auto cfc) {
    randomise(cfc);
    const Index channels = cfc.cfc.shape.front();
    for (const Index rows : {1, 2, 9})
      CHECK(IntegrateWalk(cfc, {.groups = channels, .rows = rows}).block_error() < 1e-14);
  };
  for (const Index channels : {1, 7, 8, 19}) {
    check(ChannelWise<double, 1>(channels));
    check(ChannelWise<double, 2>(channels));
    check(ChannelWise<double, 3>(channels));
  }
}

TEST_CASE("weights are zero at the start, do not decay and are called cfc") {
  const ChannelWise<float, 2> cfc(3);
  CHECK(leaf_names(cfc) == std::vector<std::string>{"cfc"});
  CHECK(cfc.cfc.shape == std::vector<Index>{3, 2});
  CHECK_FALSE(cfc.cfc.decay);
  for (const float value : cfc.cfc.value) CHECK(value == 0);
}

TEST_CASE("no rows give no numbers and no gradient") {
  ChannelWise<double, 2> cfc(2);
  recal::NoTape tape;
  cfc.forward(1, {}, {}, tape);
  cfc.backward(1, {}, {}, {}, tape);
  for (const double value : cfc.cfc.grad) CHECK(value == 0);
}
