// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <doctest/doctest.h>

#include <recal/se.hpp>
#include <recal/testing/gradient_check.hpp>

#include "tests/support/module_golden.hpp"
#include "tests/support/noise_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

template <class Module>
void fill(Module& module, const std::string& wanted, double value) {
  for_each_parameter(module, [&](const std::string& name, auto& p) {
    if (name == wanted)
      p.value.assign(p.value.size(), static_cast<typename std::remove_cvref_t<decltype(p.value)>::value_type>(value));
  });
}

Index reduced(const Golden& g) { return static_cast<Index>(g.number("reduced")); }

}  // namespace

TEST_CASE("SE agrees with the reference vectors") {
  for (const char* size : {"2x12x14x14", "3x16x5x9", "4x8x7x7"})
    check_cases(std::string("se_") + size,
                []<class T>(const Golden& g) { return Se<T>(g.sizes("x")[1], {.reduced = reduced(g)}); });
}

TEST_CASE("SE with a hard sigmoid agrees with the reference vectors") {
  check_cases("se_hard_",
              []<class T>(const Golden& g) { return Se<T, HardSigmoid>(g.sizes("x")[1], {.reduced = reduced(g)}); });
}

TEST_CASE("SE's gradients agree with difference quotients") {
  Se<double> soft(6, {.reduction = 2});
  Se<double, HardSigmoid> hard(6, {.reduced = 4, .bias = false});
  for (const auto& report : {gradient_check(soft, {2, 6, 3, 3}), gradient_check(hard, {2, 6, 3, 3}),
                             gradient_check(soft, {1, 6, 1, 1}), gradient_check(soft, {2, 6, 3, 3}, {.frozen = true})})
    CHECK_MESSAGE(report.good, report.text);
}

TEST_CASE("SE's width") {
  CHECK(SeOptions{}.width(64) == 4);
  CHECK(SeOptions{}.width(8) == 1);
  CHECK(SeOptions{.reduction = 4}.width(64) == 16);
  CHECK(SeOptions{.reduced = 8}.width(64) == 8);
  CHECK_THROWS_WITH_AS(Se<float>(8, {.reduction = 0}), doctest::Contains("found 0 and 0"), error);
  CHECK_THROWS_AS(Se<float>(8, {.reduced = -3}), error);
  CHECK_THROWS_WITH_AS(Se<float>(0), doctest::Contains("found 0"), error);
  const Se<float> with(256);
  const Se<float> without(256, {.bias = false});
  CHECK(parameter_count(with) == 2 * 256 * 16 + 16 + 256);
  CHECK(parameter_count(without) == 2 * 256 * 16);
}

TEST_CASE("SE with a silent second layer (T8)") {
  const auto x = noise<float>({2, 8, 5, 5}, 3);
  Tensor<float> y(x.shape());
  const auto scaled_by = [&](float factor) {
    for (Index i = 0; i < x.size(); ++i)
      if (!(std::abs(y.data()[i] - factor * x.data()[i]) <= 1e-6F)) return false;
    return true;
  };
  Se<float> soft(8);
  fill(soft, "fc2.weight", 0);
  fill(soft, "fc2.bias", 0);
  soft.infer(x, y);
  CHECK(scaled_by(0.5F));
  Se<float, HardSigmoid> hard(8);
  fill(hard, "fc2.weight", 0);
  fill(hard, "fc2.bias", 3);
  hard.infer(x, y);
  for (Index i = 0; i < x.size(); ++i) CHECK(y.data()[i] == x.data()[i]);
  fill(hard, "fc2.bias", 1);
  hard.infer(x, y);
  CHECK(scaled_by(2.0F / 3));
}

TEST_CASE("SE mixes the channels of a sample and nothing else (T6)") {
  Se<double> se(8, {.reduced = 4});
  fill(se, "fc1.bias", 1);  // the hidden units are awake
  const auto x = noise<double>({3, 8, 4, 4}, 3);
  auto changed = x;
  for (Index k = 0; k < 16; ++k) changed.view().plane(1, 5)[k] += 1;
  Tensor<double> before(x.shape());
  Tensor<double> after(x.shape());
  se.infer(x, before);
  se.infer(changed, after);
  for (Index c = 0; c < 8; ++c) {
    CHECK(after(0, c, 0, 0) == before(0, c, 0, 0));
    CHECK(after(1, c, 0, 0) != before(1, c, 0, 0));
    CHECK(after(2, c, 0, 0) == before(2, c, 0, 0));
  }
}

TEST_CASE("SE with one channel, one sample (T9)") {
  Se<float> se(1);
  const auto x = noise<float>({1, 1, 3, 3}, 3);
  Tensor<float> y(x.shape());
  Se<float>::Tape tape;
  se.forward(x, y, tape);
  CHECK(std::isfinite(y.data()[0]));
}
