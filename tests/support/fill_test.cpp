// SPDX-License-Identifier: Apache-2.0
#include <tests/support/fill.hpp>

#include <cmath>

#include <doctest/doctest.h>

using namespace recal::testing;

namespace {

struct Network {
  recal::BasicParameter<float> conv{"conv1.weight", {64, 3, 7, 7}};
  recal::BasicParameter<float> fc{"fc.weight", {10, 100}};
  recal::BasicParameter<float> fc1{"layer1.0.se.fc1.weight", {16, 150}};
  recal::BasicParameter<float> cfc{"rclb.cfc", {64, 2}};
  recal::BasicParameter<float> norm{"bn1.weight", {64}};
  recal::BasicState<float> mean{"bn1.running_mean", 64};
  recal::BasicState<float> variance{"bn1.running_var", 64};
  recal::BasicState<recal::Index> batches{"bn1.num_batches_tracked", 1, 5};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.conv);
    v(self.fc);
    v(self.fc1);
    v(self.cfc);
    v(self.norm);
    v(self.mean);
    v(self.variance);
    v(self.batches);
  }
};

template <class Leaf>
void check_within(const Leaf& leaf, double lo, double hi) {
  double least = hi;
  double most = lo;
  for (const float value : leaf.value) {
    least = std::min(least, static_cast<double>(value));
    most = std::max(most, static_cast<double>(value));
  }
  CHECK(least >= lo);
  CHECK(most <= hi);
  CHECK(most - least > 0.8 * (hi - lo));
}

}  // namespace

TEST_CASE("the formula gives the numbers that the golden README states") {
  CHECK(uniform_of("input", 0) == doctest::Approx(0.0978183426575382).epsilon(1e-15));
  CHECK(uniform_of("input", 1) == doctest::Approx(0.14747860371491817).epsilon(1e-15));
  CHECK(uniform_of("input", 2) == doctest::Approx(0.5740844483096654).epsilon(1e-15));
  CHECK(uniform_of("conv1.weight", 0) == doctest::Approx(0.5450749789171447).epsilon(1e-15));
}

TEST_CASE("a network is filled by name within the stated ranges") {
  Network network;
  fill_network(network);
  check_within(network.conv, -std::sqrt(6.0 / 147), std::sqrt(6.0 / 147));
  check_within(network.fc, -0.1000001, 0.1000001);
  check_within(network.fc1, -0.2000001, 0.2000001);
  check_within(network.cfc, -0.5, 0.5);
  check_within(network.norm, 0.6999999, 1.3000001);
  check_within(network.mean, -0.1000001, 0.1000001);
  check_within(network.variance, 0.7999999, 1.2000001);
  CHECK(network.batches.value[0] == 5);
  const double bound = std::sqrt(6.0 / 147);
  CHECK(network.conv.value[0] == static_cast<float>(-bound + 2 * bound * 0.5450749789171447));
  CHECK_THROWS_WITH_AS((void)fill_range("fc.gamma", {3}), doctest::Contains("no fill range for fc.gamma"),
                       recal::error);
}

TEST_CASE("input and labels of the golden networks") {
  const auto x = golden_input<float>();
  CHECK(x.shape() == recal::Shape{4, 3, 64, 64});
  CHECK(x(0, 0, 0, 0) == static_cast<float>(-1.7 + 3.4 * 0.0978183426575382));
  CHECK(golden_labels() == std::vector<recal::Index>{0, 3, 6, 9});
}
