// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <recal/integrate/channel_norm.hpp>

#include "tests/support/integrate_check.hpp"

using recal::Buffer;
using recal::ChannelNorm;
using recal::Index;
using recal::Mode;
using namespace recal::testing;

namespace {

using Norm = ChannelNorm<double>;

Norm random_norm(Index channels) {
  Norm norm(channels);
  randomise(norm, 0.5, 1.5);
  fill("mean", -1.0, 1.0, norm.running_mean.value.data(), channels);
  fill("variance", 0.5, 2.0, norm.running_var.value.data(), channels);
  return norm;
}

/// One training pass over the channels, `rows` numbers each.
Buffer<double> train(Norm& norm, const Buffer<double>& t, Index rows, Mode mode = Mode::train) {
  Norm::Tape tape;
  Buffer<double> z(t.size());
  const Index channels = norm.weight.size();
  const auto count = static_cast<std::size_t>(rows);
  norm.begin(channels, rows, mode, tape);
  for (Index c = 0; c < channels; ++c) {
    const auto first = static_cast<std::size_t>(c) * count;
    norm.forward(c, std::span(t).subspan(first, count), std::span(z).subspan(first, count), tape);
  }
  return z;
}

}  // namespace

TEST_CASE("training: the batch's mean and biased variance, then gamma and beta") {
  const Norm norm = random_norm(2);
  const IntegrateWalk walk(norm, {.groups = 2, .rows = 5});
  Buffer<double> expected;
  for (std::size_t c = 0; c < 2; ++c) {
    double mean = 0;
    double variance = 0;
    for (std::size_t row = 0; row < 5; ++row) mean += walk.t[5 * c + row] / 5;
    for (std::size_t row = 0; row < 5; ++row) variance += std::pow(walk.t[5 * c + row] - mean, 2) / 5;
    for (std::size_t row = 0; row < 5; ++row)
      expected.push_back(norm.weight.value[c] * (walk.t[5 * c + row] - mean) / std::sqrt(variance + 1e-5) +
                         norm.bias.value[c]);
  }
  CHECK(relative_error(walk.forward(), expected) < 1e-14);
}

TEST_CASE("inference and frozen forward: the running statistics") {
  const Norm norm = random_norm(2);
  const IntegrateWalk walk(norm, {.groups = 2, .rows = 5, .mode = Mode::frozen});
  Buffer<double> expected;
  for (std::size_t c = 0; c < 2; ++c)
    for (std::size_t row = 0; row < 5; ++row)
      expected.push_back(norm.weight.value[c] * (walk.t[5 * c + row] - norm.running_mean.value[c]) /
                             std::sqrt(norm.running_var.value[c] + 1e-5) +
                         norm.bias.value[c]);
  CHECK(relative_error(walk.infer(), expected) < 1e-14);
  CHECK(relative_error(walk.forward(), expected) < 1e-14);
}

TEST_CASE("gradients are those of difference quotients") {
  for (const Index rows : {2, 3, 8}) {
    CHECK(IntegrateWalk(random_norm(3), {.groups = 3, .rows = rows}).gradient_error() < 1e-7);
    CHECK(IntegrateWalk(random_norm(3), {.groups = 3, .rows = rows, .mode = Mode::frozen}).gradient_error() < 1e-9);
  }
  CHECK(IntegrateWalk(random_norm(2), {.groups = 2, .rows = 1, .mode = Mode::frozen}).gradient_error() < 1e-9);
}

TEST_CASE("running statistics: momentum 0.1, the unbiased variance; batches are counted once") {
  Norm norm(2);
  train(norm, {1, 2, 3, 6, /* channel 1: */ 5, 5, 5, 5}, 4);
  CHECK(norm.running_mean.value[0] == doctest::Approx(0.1 * 3));
  CHECK(norm.running_var.value[0] == doctest::Approx(0.9 + 0.1 * 14 / 3));
  CHECK(norm.running_mean.value[1] == doctest::Approx(0.1 * 5));
  CHECK(norm.running_var.value[1] == doctest::Approx(0.9));
  CHECK(norm.num_batches_tracked.value[0] == 1);
  train(norm, Buffer<double>(8, 5.0), 4);
  CHECK(norm.running_mean.value[0] == doctest::Approx(0.27 + 0.1 * 5));
  CHECK(norm.num_batches_tracked.value[0] == 2);
}

TEST_CASE("a frozen pass leaves the running statistics as they are") {
  Norm norm(2);
  train(norm, {1, 2, 3, 6, 5, 5, 5, 5}, 4, Mode::frozen);
  CHECK(norm.running_mean.value == Buffer<double>{0, 0});
  CHECK(norm.running_var.value == Buffer<double>{1, 1});
  CHECK(norm.num_batches_tracked.value[0] == 0);
}

TEST_CASE("equal rows give exactly beta") {
  Norm norm = random_norm(1);
  for (const double value : {0.0, 0.1, 1.0 / 3, 1e7 + 0.1, -123.456})
    for (const Index rows : {2, 3, 7, 32})
      for (const double z : train(norm, Buffer<double>(static_cast<std::size_t>(rows), value), rows))
        CHECK(z == norm.bias.value[0]);
}

TEST_CASE("a large common offset does not change the result") {
  Norm norm = random_norm(1);
  const auto near_zero = train(norm, {0.25, -0.5, 1.0, 0.125, 0.5}, 5);
  const auto far = train(norm, {1e8 + 0.25, 1e8 - 0.5, 1e8 + 1.0, 1e8 + 0.125, 1e8 + 0.5}, 5);
  CHECK(relative_error(far, near_zero) < 1e-14);
}

TEST_CASE("one row in training is refused, two are not, and inference takes any number") {
  const Norm norm(4);
  CHECK_THROWS_WITH_AS(norm.check(4, 1, true),
                       "recal: batch norm over the samples of a channel needs at least 2 values per channel in "
                       "training, found 1; use infer, forward_frozen or a larger batch",
                       recal::error);
  CHECK_NOTHROW(norm.check(4, 2, true));
  CHECK_NOTHROW(norm.check(4, 0, true));
  CHECK_NOTHROW(norm.check(4, 1, false));
}

TEST_CASE("no rows: nothing happens") {
  Norm norm(1);
  train(norm, {}, 0);
  CHECK(norm.running_var.value[0] == 1);
  CHECK(norm.num_batches_tracked.value[0] == 0);
  Norm::Tape tape;
  norm.begin(1, 0, Mode::train, tape);
  norm.backward(0, {}, {}, {}, tape);
  CHECK(norm.weight.grad[0] == 0);
}

TEST_CASE("names, start values and decay") {
  const ChannelNorm<float> norm(3);
  CHECK(leaf_names(norm) ==
        std::vector<std::string>{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"});
  CHECK(norm.weight.value.back() == 1);
  CHECK(norm.bias.value.back() == 0);
  CHECK_FALSE(norm.weight.decay);
  CHECK_FALSE(norm.bias.decay);
}

TEST_CASE("a block of channels, sample by sample, is the channels one by one") {
  for (const Index channels : {1, 7, 8, 19})
    for (const Index rows : {2, 3, 9, 17})
      for (const Mode mode : {Mode::train, Mode::frozen}) {
        const IntegrateCase c{.groups = channels, .rows = rows, .mode = mode};
        CHECK(IntegrateWalk(random_norm(channels), c).block_error() < 1e-13);
      }
}

TEST_CASE("a batch counts once, whichever blocks it comes in") {
  Norm norm = random_norm(19);
  Norm::Tape tape;
  norm.begin(19, 2, Mode::train, tape);
  const auto forward = [&](Index first, Index last) {
    const Buffer<double> t(static_cast<std::size_t>(2 * (last - first)), 1.0);
    Buffer<double> z(t.size());
    norm.forward_block(first, last - first, t, z, tape);
  };
  for (const Index first : {8, 16}) {
    forward(first, std::min<Index>(19, first + 8));
    CHECK(norm.num_batches_tracked.value[0] == 0);
  }
  forward(0, 8);
  CHECK(norm.num_batches_tracked.value[0] == 1);
}
