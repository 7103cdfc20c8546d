// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/integrate/response_norm.hpp>

#include "tests/support/integrate_check.hpp"

using recal::Buffer;
using recal::Index;
using recal::ResponseNorm;
using namespace recal::testing;

namespace {

ResponseNorm<double> random_norm(Index channels) {
  ResponseNorm<double> norm(channels);
  randomise(norm);
  return norm;
}

}  // namespace

TEST_CASE("weight t over the mean of all t, and the bias beside it") {
  const auto norm = random_norm(4);
  const IntegrateWalk walk(norm, {.groups = 3, .rows = 4, .lo = 0, .hi = 5});
  Buffer<double> expected;
  for (std::size_t s = 0; s < 3; ++s) {
    double mean = 0;
    for (std::size_t c = 0; c < 4; ++c) mean += walk.t[4 * s + c] / 4;
    for (std::size_t c = 0; c < 4; ++c) {
      expected.push_back(norm.weight.value[c] * walk.t[4 * s + c] / (mean + 1e-6));
      expected.push_back(norm.bias.value[c]);
    }
  }
  CHECK(relative_error(walk.forward(), expected) < 1e-14);
  CHECK(walk.infer() == walk.forward());
}

TEST_CASE("gradients are those of difference quotients") {
  for (const Index channels : {2, 9, 300})
    for (const Index samples : {1, 3})
      CHECK(IntegrateWalk(random_norm(channels), {.groups = samples, .rows = channels, .lo = 0.5, .hi = 2})
                .gradient_error() < 1e-7);
  auto alone = random_norm(1);
  alone.eps = 0.5;  // what leaves a channel that is compared with itself a gradient
  CHECK(IntegrateWalk(alone, {.groups = 3, .rows = 1, .lo = 0.5, .hi = 2}).gradient_error() < 1e-7);
}

TEST_CASE("z is 0 at the start; names") {
  const ResponseNorm<double> norm(3);
  const IntegrateWalk walk(norm, {.groups = 2, .rows = 3, .lo = 0});
  for (const double z : walk.forward()) CHECK(z == 0);
  CHECK(leaf_names(norm) == std::vector<std::string>{"weight", "bias"});
}

TEST_CASE("norms of zero give (0, bias)") {
  const auto norm = random_norm(2);
  const IntegrateWalk walk(norm, {.groups = 1, .rows = 2, .lo = 0, .hi = 0});
  CHECK(walk.forward() == Buffer<double>{0, norm.bias.value[0], 0, norm.bias.value[1]});
}
