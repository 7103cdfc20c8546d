// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/cross_entropy.hpp>

#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/device_orders.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

std::vector<int> some_labels(const Shape& logits) {
  std::vector<int> labels;
  for (Index n = 0; n < logits.n; ++n)
    labels.push_back(static_cast<int>(random_index("labels", static_cast<std::uint64_t>(n), 0, logits.c - 1)));
  return labels;
}

template <class T>
Tensor<T> some_logits(const Shape& shape) {
  Tensor<T> logits(shape);
  fill("logits", -6.0, 6.0, logits.data(), logits.size());
  return logits;
}

}  // namespace

TEST_CASE("cross-entropy on the host run equals PyTorch's, with and without label smoothing") {
  for (const std::string& name : golden_cases("cross_entropy_")) {
    CAPTURE(name);
    const Golden g(name);
    const HostMachine m(Schedule::random(5));
    const cuda::DeviceTensor<float> logits(m, g.tensor<float>("x"));
    cuda::DeviceTensor<float> gradient(m, logits.shape());
    const double loss = cuda::cross_entropy(m, logits, g.values<Index>("label"), gradient, g.number("label_smoothing"));
    CHECK(relative_error(std::vector<double>{loss}, g.values<double>("loss")) <= 2e-6);
    check_tensor(gradient.to_host(m), g, "dx", 2e-6);
  }
}

TEST_CASE("cross-entropy on the host run equals the host's") {
  for (const Shape& shape :
       {Shape{1, 1, 1, 1}, Shape{5, 10, 1, 1}, Shape{7, 33, 1, 1}, Shape{3, 1000, 1, 1}, Shape{301, 3, 1, 1}})
    for (const double smoothing : {0.0, 0.1, 1.0}) {
      CAPTURE(to_string(shape));
      const auto logits = some_logits<float>(shape);
      const auto labels = some_labels(shape);
      Tensor<float> expected(shape);
      const double loss = train::cross_entropy(logits, labels, expected, smoothing);
      std::vector<double> losses;
      const auto gradient = in_every_order([&](const HostMachine& m) {
        const StridedDeviceTensor<float> there(m, logits);  // in place
        losses.push_back(cuda::cross_entropy(m, there.view(), labels, there.view(), smoothing));
        return there.to_host(m);
      });
      CHECK(relative_error(gradient, expected) <= 1e-6);
      CHECK(std::abs(losses[0] - loss) <= 1e-12 * (1.0 + loss));
      for (const double other : losses) CHECK(other == losses[0]);
    }
}

TEST_CASE_TEMPLATE("cross-entropy takes narrow logits, and gives its gradient in any type", T, half, bfloat16) {
  const Shape shape{9, 17, 1, 1};
  const auto logits = some_logits<T>(shape);
  const auto labels = some_labels(shape);
  Tensor<double> exact(shape);
  const double loss = train::cross_entropy(logits, labels, exact, 0.1);
  const HostMachine m(Schedule::random(1));
  const cuda::DeviceTensor<T> there(m, logits);
  cuda::DeviceTensor<float> wide(m, shape);
  cuda::DeviceTensor<T> narrow(m, shape);
  CHECK(std::abs(cuda::cross_entropy(m, there, labels, wide, 0.1) - loss) <= 1e-12 * loss);
  CHECK(cuda::cross_entropy(m, there, labels, narrow, 0.1) > 0.0);
  CHECK(relative_error(wide.to_host(m), exact) <= 1e-6);
  CHECK(relative_error(narrow.to_host(m), exact) <= (std::is_same_v<T, half> ? 0x1p-11 : 0x1p-8));
}

TEST_CASE("cross-entropy on a machine is finite for huge logits, and 0 for an empty batch") {
  const HostMachine m(Schedule::forward());
  Tensor<float> numbers({2, 3, 1, 1});
  const float values[] = {3e38F, -3e38F, 0.0F, -1e4F, -1e4F, -1e4F};
  std::copy_n(values, 6, numbers.data());
  cuda::DeviceTensor<float> logits(m, numbers);
  cuda::CrossEntropy loss;
  CHECK_THROWS_AS(static_cast<void>(loss.value(m)), error);
  loss.launch(m, logits, std::vector<int>{0, 2}, logits);
  CHECK(loss.value(m) == doctest::Approx(std::log(3.0) / 2));
  const auto gradient = logits.to_host(m);
  CHECK(gradient(0, 0, 0, 0) == 0.0F);
  CHECK(gradient(1, 2, 0, 0) == doctest::Approx(-1.0 / 3));

  cuda::DeviceTensor<float> empty(m, Shape{0, 3, 1, 1});
  loss.launch(m, empty, std::vector<int>{}, empty);
  CHECK(loss.value(m) == 0.0);
}

TEST_CASE("cross-entropy's faults on a machine are the host's, and nothing is written") {
  const HostMachine m(Schedule::forward());
  const auto before = some_logits<float>({2, 3, 1, 1});
  cuda::DeviceTensor<float> logits(m, before);
  cuda::DeviceTensor<float> other(m, Shape{2, 4, 1, 1});
  const std::vector<int> labels{0, 2};
  CHECK_THROWS_WITH_AS(cuda::cross_entropy(m, logits, std::vector<int>{0, 3}, logits),
                       "recal: label 3 is not one of 3 classes", error);
  CHECK_THROWS_AS(cuda::cross_entropy(m, logits, std::vector<int>{0}, logits), error);
  CHECK_THROWS_AS(cuda::cross_entropy(m, logits, std::vector<int>{0, -1}, logits), error);
  CHECK_THROWS_AS(cuda::cross_entropy(m, logits, labels, other), error);
  CHECK_THROWS_AS(cuda::cross_entropy(m, logits, labels, logits, 1.5), error);
  CHECK_THROWS_AS(cuda::cross_entropy(m, logits, labels, logits, std::nan("")), error);
  CHECK(same_bits(logits.to_host(m), before));
}
