// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/integrate/channel_context.hpp>

#include "tests/support/integrate_check.hpp"

using recal::Buffer;
using recal::ChannelContext;
using recal::Index;
using namespace recal::testing;

namespace {

ChannelContext<double> random_context(Index channels) {
  ChannelContext<double> context(channels);
  randomise(context);
  return context;
}

}  // namespace

TEST_CASE("gamma alpha t over the root mean square of alpha t, plus beta") {
  const auto context = random_context(4);
  const IntegrateWalk walk(context, {.groups = 3, .rows = 4});
  Buffer<double> expected;
  for (std::size_t s = 0; s < 3; ++s) {
    double squares = 0;
    for (std::size_t c = 0; c < 4; ++c) squares += std::pow(context.alpha.value[c] * walk.t[4 * s + c], 2);
    for (std::size_t c = 0; c < 4; ++c)
      expected.push_back(context.gamma.value[c] * context.alpha.value[c] * walk.t[4 * s + c] /
                             std::sqrt(squares / 4 + 1e-5) +
                         context.beta.value[c]);
  }
  CHECK(relative_error(walk.forward(), expected) < 1e-14);
  CHECK(walk.infer() == walk.forward());
}

TEST_CASE("gradients are those of difference quotients") {
  for (const Index channels : {1, 2, 9})
    for (const Index samples : {1, 4})
      CHECK(IntegrateWalk(random_context(channels), {.groups = samples, .rows = channels}).gradient_error() < 1e-7);
}

TEST_CASE("many channels are shared out and stay right") {
  IntegrateWalk walk(random_context(300), {.groups = 2, .rows = 300, .lo = 0.5, .hi = 2});
  CHECK(walk.gradient_error() < 1e-7);
}

TEST_CASE("z is 0 at the start; names and decay") {
  const ChannelContext<double> context(3);
  const IntegrateWalk walk(context, {.groups = 2, .rows = 3});
  for (const double z : walk.forward()) CHECK(z == 0);
  CHECK(leaf_names(context) == std::vector<std::string>{"alpha", "gamma", "beta"});
  CHECK(context.alpha.value.front() == 1);
  CHECK(context.alpha.decay);
  CHECK(context.gamma.decay);
  CHECK_FALSE(context.beta.decay);
}

TEST_CASE("styles of zero give beta, and gradients without NaN") {
  IntegrateWalk walk(random_context(3), {.groups = 1, .rows = 3, .lo = 0, .hi = 0});
  for (const double z : walk.forward()) CHECK(std::isfinite(z));
  CHECK(walk.forward()[1] == random_context(3).beta.value[1]);
  CHECK(std::isfinite(walk.gradient_error()));
}
