// SPDX-License-Identifier: Apache-2.0
#include <recal/nn/init.hpp>

#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include <recal/nn/conv2d.hpp>
#include <recal/nn/linear.hpp>

using namespace recal;
using recal::nn::CounterRandom;

namespace {

struct Pair {
  nn::Conv2d<float> first{4, 8, {.kernel = 3}};
  nn::Conv2d<float> second{4, 8, {.kernel = 3}};
  nn::Linear<double> dense{5, 6};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("first", self.first);
    v("second", self.second);
    v("dense", self.dense);
  }
};

}  // namespace

TEST_CASE("CounterRandom is a function of seed, name and index") {
  constexpr CounterRandom random(7, "layer1.0.conv1.weight");
  static_assert(random.bits(3) == CounterRandom(7, "layer1.0.conv1.weight").bits(3));
  CHECK(random.bits(3) != random.bits(4));
  CHECK(random.bits(3) != CounterRandom(8, "layer1.0.conv1.weight").bits(3));
  CHECK(random.bits(3) != CounterRandom(7, "layer1.0.conv2.weight").bits(3));
  // Fixed for good, so that a seed means the same in every version.
  static_assert(CounterRandom(0, "").bits(0) == 0x238275BC38FCBE91ULL);
  static_assert(CounterRandom(7, "conv1.weight").bits(5) == 0x7B61FBC942B92096ULL);
  std::set<std::uint64_t> seen;
  for (std::uint64_t i = 0; i < 10000; ++i) seen.insert(random.bits(i));
  CHECK(seen.size() == 10000);
}

TEST_CASE("CounterRandom's numbers are uniform and normal") {
  const CounterRandom random(1, "test");
  constexpr int count = 200000;
  int outside = 0;
  double mean = 0;
  double square = 0;
  double normal_mean = 0;
  double normal_square = 0;
  double fourth = 0;
  double product = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double u = random.uniform(i);
    outside += !(u >= 0.0 && u < 1.0);
    mean += u;
    square += u * u;
    const double z = random.normal(i);
    normal_mean += z;
    normal_square += z * z;
    fourth += z * z * z * z;
    product += z * random.normal(i + 1);
  }
  CHECK(outside == 0);
  CHECK(mean / count == doctest::Approx(0.5).epsilon(0.01));
  CHECK(square / count == doctest::Approx(1.0 / 3).epsilon(0.01));
  CHECK(std::abs(normal_mean / count) < 0.01);
  CHECK(normal_square / count == doctest::Approx(1.0).epsilon(0.015));
  CHECK(fourth / count == doctest::Approx(3.0).epsilon(0.03));
  CHECK(std::abs(product / count) < 0.01);
}

TEST_CASE("initialise gives each layer values of its own, the same for the same seed") {
  Pair pair;
  nn::initialise(pair, 5);
  CHECK(pair.first.weight.value != pair.second.weight.value);
  Pair again;
  nn::initialise(again, 5);
  CHECK(again.first.weight.value == pair.first.weight.value);
  CHECK(again.dense.weight.value == pair.dense.weight.value);
  nn::initialise(again, 6);
  CHECK(again.first.weight.value != pair.first.weight.value);
  CHECK(again.dense.bias.value != pair.dense.bias.value);

  nn::Conv2d<float> alone(4, 8, {.kernel = 3});
  alone.initialise(5, "second.");
  CHECK(alone.weight.value == pair.second.weight.value);
}
