// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <doctest/doctest.h>

#include <recal/integrate/mlp.hpp>

#include "tests/support/integrate_check.hpp"

using recal::Buffer;
using recal::Index;
using recal::Mlp;
using namespace recal::testing;

TEST_CASE("W2 max(0, W1 t + b1) + b2, sample by sample") {
  Mlp<double> mlp(5, 3);
  randomise(mlp);
  const IntegrateWalk walk(mlp, {.groups = 4, .rows = 5});
  Buffer<double> expected;
  Index cut = 0;
  for (std::size_t s = 0; s < 4; ++s) {
    double hidden[3];
    for (std::size_t r = 0; r < 3; ++r) {
      hidden[r] = mlp.fc1.bias.value[r];
      for (std::size_t c = 0; c < 5; ++c) hidden[r] += mlp.fc1.weight.value[5 * r + c] * walk.t[5 * s + c];
      cut += hidden[r] < 0;
      hidden[r] = std::max(hidden[r], 0.0);
    }
    for (std::size_t c = 0; c < 5; ++c) {
      expected.push_back(mlp.fc2.bias.value[c]);
      for (std::size_t r = 0; r < 3; ++r) expected.back() += mlp.fc2.weight.value[3 * c + r] * hidden[r];
    }
  }
  CHECK(cut > 0);
  CHECK(cut < 12);
  CHECK(relative_error(walk.forward(), expected) < 1e-14);
  CHECK(walk.infer() == walk.forward());
}

TEST_CASE("gradients are those of difference quotients, with biases and without") {
  for (const bool biased : {true, false})
    for (const Index samples : {1, 3}) {
      Mlp<double> mlp(7, 3, biased);
      randomise(mlp);
      CHECK(IntegrateWalk(mlp, {.groups = samples, .rows = 7}).gradient_error() < 1e-8);
    }
}

TEST_CASE("names, decay, and a start that differs from layer to layer and seed to seed") {
  const Mlp<float> mlp(4, 4, true, false, 1);
  CHECK(leaf_names(mlp) == std::vector<std::string>{"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"});
  CHECK(mlp.reduced() == 4);
  CHECK_FALSE(mlp.fc1.bias.decay);
  CHECK_FALSE(mlp.fc2.bias.decay);
  CHECK(mlp.fc2.weight.decay);
  CHECK(mlp.fc1.weight.value != mlp.fc2.weight.value);
  CHECK(mlp.fc1.weight.value != Mlp<float>(4, 4, true, false, 2).fc1.weight.value);
  CHECK(leaf_names(Mlp<float>(4, 2, false)) == std::vector<std::string>{"fc1.weight", "fc2.weight"});
}

TEST_CASE("a bottleneck of nothing is refused") {
  CHECK_THROWS_AS(Mlp<float>(4, 0), recal::error);
  CHECK_THROWS_AS(Mlp<float>(0, 1), recal::error);
}

TEST_CASE("several samples from any on are the same as one by one") {
  const Index channels = 37;
  const Index samples = 7;
  Mlp<float> mlp(channels, 9);
  const auto t = noise("t", samples * channels);
  const auto dz = noise("dz", samples * channels);
  Mlp<float>::Tape tape;
  mlp.begin(samples, channels, recal::Mode::train, tape);
  const auto rows = [&](auto& all, Index first, Index count) {
    return std::span(all).subspan(static_cast<std::size_t>(first * channels),
                                  static_cast<std::size_t>(count * channels));
  };
  const auto results = [&](Index at_once) {
    Buffer<double> z(t.size(), NAN);
    Buffer<double> inferred(t.size(), NAN);
    Buffer<double> dt(t.size(), NAN);
    for (Index s = 0; s < samples; s += at_once) {
      const Index own = std::min(at_once, samples - s);
      mlp.infer_groups(s, own, rows(t, s, own), rows(inferred, s, own));
      mlp.forward_groups(s, own, rows(t, s, own), rows(z, s, own), tape);
      mlp.backward_groups(s, own, rows(t, s, own), rows(dz, s, own), rows(dt, s, own), tape);
    }
    CHECK(inferred == z);
    return std::tuple(z, dt, tape.hidden, tape.grad_hidden);
  };
  const auto together = results(samples);
  CHECK(together == results(3));
  CHECK(together == results(1));
}
