// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <recal/train/cross_entropy.hpp>

#include "tests/support/golden.hpp"

namespace {

using recal::Index;
using recal::Tensor;
using recal::testing::Golden;
using recal::train::correct_in_top;
using recal::train::cross_entropy;

template <class T>
void check_golden(const std::string& name, double output_bound, double gradient_bound) {
  const Golden g(name);
  const auto logits = g.tensor<T>("x");
  Tensor<T> gradient(logits.shape());
  const double loss = cross_entropy(logits, g.values<Index>("label"), gradient, g.number("label_smoothing"));
  CHECK(recal::testing::relative_error(std::vector<double>{loss}, g.values<double>("loss")) <= output_bound);
  recal::testing::check_tensor(gradient, g, "dx", gradient_bound);
}

TEST_CASE("cross-entropy equals PyTorch's, with and without label smoothing") {
  for (const std::string& name : recal::testing::golden_cases("cross_entropy_")) {
    check_golden<double>(name, 1e-9, 1e-9);
    check_golden<float>(name, 2e-6, 2e-5);
  }
}

TEST_CASE("cross-entropy is finite for huge logits and works in place") {
  Tensor<float> logits({2, 3, 1, 1});
  const float values[] = {3e38F, -3e38F, 0.0F, -1e4F, -1e4F, -1e4F};
  std::copy_n(values, 6, logits.data());
  const std::vector<int> labels{0, 2};
  const double loss = cross_entropy(logits, labels, logits);
  CHECK(loss == doctest::Approx(std::log(3.0) / 2));
  CHECK(logits.data()[0] == 0.0F);
  CHECK(logits.data()[3] == doctest::Approx(1.0 / 6));
  CHECK(logits.data()[5] == doctest::Approx(-1.0 / 3));
}

TEST_CASE("gradients of one sample sum to zero whatever the smoothing") {
  Tensor<double> logits({1, 4, 1, 1});
  for (Index c = 0; c < 4; ++c) logits.data()[c] = 0.7 * static_cast<double>(c * c);
  Tensor<double> gradient(logits.shape());
  for (const double smoothing : {0.0, 0.3, 1.0}) {
    cross_entropy(logits, std::vector<Index>{1}, gradient, smoothing);
    double sum = 0.0;
    for (Index c = 0; c < 4; ++c) sum += gradient.data()[c];
    CHECK(std::abs(sum) <= 1e-15);
  }
}

TEST_CASE("an empty batch has no loss") {
  Tensor<float> logits(recal::Shape{0, 3, 1, 1});
  CHECK(cross_entropy(logits, std::vector<int>{}, logits) == 0.0);
  CHECK(correct_in_top(logits, std::vector<int>{}) == 0);
}

TEST_CASE("cross-entropy names the label and the classes, and writes nothing") {
  Tensor<float> logits({2, 3, 1, 1}, 1.0F);
  Tensor<float> gradient({2, 3, 1, 1}, 7.0F);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, std::vector<int>{0, 3}, gradient),
                       "recal: label 3 is not one of 3 classes", recal::error);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, std::vector<int>{-1, 0}, gradient),
                       "recal: label -1 is not one of 3 classes", recal::error);
  CHECK_THROWS_WITH_AS(cross_entropy(logits, std::vector<int>{0}, gradient), "recal: 1 labels for 2 samples",
                       recal::error);
  CHECK_THROWS_AS(cross_entropy(logits, std::vector<int>{0, 0}, gradient, 1.5), recal::error);
  CHECK_THROWS_AS(cross_entropy(logits, std::vector<int>{0, 0}, gradient, std::nan("")), recal::error);
  Tensor<float> maps({2, 3, 2, 1}, 1.0F);
  CHECK_THROWS_AS(cross_entropy(maps, std::vector<int>{0, 0}, gradient), recal::error);
  CHECK_THROWS_AS(cross_entropy(logits, std::vector<int>{0, 0}, maps), recal::error);
  for (Index i = 0; i < gradient.size(); ++i) CHECK(gradient.data()[i] == 7.0F);
}

TEST_CASE("top-k counts samples, with ties and NaN against the label") {
  Tensor<float> logits({4, 3, 1, 1});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float values[] = {1, 2, 3, 3, 2, 1, 5, 5, 0, nan, 1, 0};
  std::copy_n(values, 12, logits.data());
  const std::vector<Index> labels{2, 1, 1, 0};
  CHECK(correct_in_top(logits, labels) == 1);
  CHECK(correct_in_top(logits, labels, 2) == 3);
  CHECK(correct_in_top(logits, labels, 3) == 3);
  CHECK(correct_in_top(logits, std::vector<Index>{2, 0, 0, 1}) == 3);
  CHECK_THROWS_AS(static_cast<void>(correct_in_top(logits, labels, 0)), recal::error);
}

}  // namespace
