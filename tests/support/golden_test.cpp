// SPDX-License-Identifier: Apache-2.0
#include <tests/support/golden.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <tests/support/fill.hpp>

using recal::Index;
using recal::Shape;
using namespace recal::testing;

namespace {

struct Norm {
  recal::BasicParameter<double> weight{"weight", {6}};
  recal::BasicParameter<double> bias{"bias", {6}};
  recal::BasicState<double> running_mean{"running_mean", 6};
  recal::BasicState<double> running_var{"running_var", 6};
  recal::BasicState<Index> num_batches_tracked{"num_batches_tracked", 1};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.bias);
    v(self.running_mean);
    v(self.running_var);
    v(self.num_batches_tracked);
  }
};

struct NormWithoutBias {
  recal::BasicParameter<double> weight{"weight", {6}};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
  }
};

}  // namespace

TEST_CASE("every golden file opens and its numbers are finite") {
  const std::vector<std::string> cases = golden_cases("");
  CHECK(cases.size() == 112);
  for (const std::string& name : cases) {
    const Golden g(name);
    CHECK_FALSE(g.names().empty());
    for (const std::string& tensor : g.names()) {
      if (tensor == "label") continue;
      bool finite = true;
      for (const double value : g.values<double>(tensor)) finite = finite && std::isfinite(value);
      CHECK_MESSAGE(finite, name, ": ", tensor);
    }
  }
}

TEST_CASE("golden tensors come as NCHW, matrices with one-pixel planes") {
  const Golden images("srm_train_2x12x14x14");
  CHECK(images.tensor<float>("x").shape() == Shape{2, 12, 14, 14});
  CHECK(images.meta("mode") == "train");
  CHECK(images.number("eps") == doctest::Approx(1e-5));
  CHECK_THROWS_WITH_AS((void)images.tensor<float>("param/bn.bias"), doctest::Contains("1 sizes, expected 2 or 4"),
                       recal::error);
  CHECK_THROWS_WITH_AS((void)images.meta("colour"), doctest::Contains("no metadata colour"), recal::error);

  const Golden logits("cross_entropy_smooth0.1");
  CHECK(logits.tensor<double>("x").shape() == Shape{6, 10, 1, 1});
  CHECK(logits.values<Index>("label").size() == 6);
  CHECK_FALSE(logits.has("y"));
}

TEST_CASE("relative_error measures against the largest expected magnitude and is infinite for what is no number") {
  const std::vector<double> expected{1, -4, 2};
  const std::vector<float> found{1, -4, 2.5F};
  CHECK(relative_error(found, expected) == doctest::Approx(0.125));
  CHECK(relative_error(std::vector<double>{0, 0.25}, std::vector<double>{0, 0}) == doctest::Approx(0.25));
  CHECK(std::isinf(relative_error(std::vector<double>{1, 2}, expected)));
  CHECK(std::isinf(relative_error(std::vector<double>{1, std::nan(""), 2}, expected)));
  CHECK(std::isinf(relative_error(expected, std::vector<double>{1, std::numeric_limits<double>::infinity(), 2})));

  std::vector<float> buffer{1, 9, 2, 9};  // two planes of one pixel in a buffer with gaps
  const recal::TensorView<float> strided(buffer.data(), Shape{1, 2, 1, 1}, 4, 2);
  CHECK(relative_error(strided, std::vector<double>{1, 2}) == 0);
}

TEST_CASE("load_parameters takes every array, and reports layers that do not match") {
  const Golden g("bn_train");
  Norm norm;
  load_parameters(norm, g);
  CHECK(relative_error(norm.weight.value, g.values<double>("param/weight")) == 0);
  CHECK(relative_error(norm.running_var.value, g.values<double>("before/running_var")) == 0);

  NormWithoutBias less;
  CHECK_THROWS_WITH_AS(load_parameters(less, g), doctest::Contains("has 4 parameters and states, the layer took 1"),
                       recal::error);
  NormWithoutBias other{{"gamma", {6}}};
  CHECK_THROWS_WITH_AS(load_parameters(other, g), doctest::Contains("has no param/gamma"), recal::error);
  NormWithoutBias wider{{"weight", {7}}};
  CHECK_THROWS_WITH_AS(load_parameters(wider, g), doctest::Contains("sizes [6], the layer's are [7]"), recal::error);
}

TEST_CASE("check_gradients and check_states accept the file's own numbers") {
  const Golden g("bn_train");
  Norm norm;
  const auto copy = [&g](const std::string& from, auto& to) {
    const auto values = g.values<double>(from);
    to.assign(values.begin(), values.end());
  };
  copy("grad/weight", norm.weight.grad);
  copy("grad/bias", norm.bias.grad);
  copy("after/running_mean", norm.running_mean.value);
  copy("after/running_var", norm.running_var.value);
  check_gradients(norm, g, 1e-15);
  check_states(norm, g, 1e-15);
  check_tensor(g.tensor<double>("y"), g, "y", 1e-15);
}
