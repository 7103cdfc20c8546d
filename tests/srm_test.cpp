// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include <recal/srm.hpp>
#include <recal/testing/gradient_check.hpp>

#include "tests/support/module_golden.hpp"
#include "tests/support/noise_tensor.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

template <class T>
BasicParameter<T>& parameter(Srm<T>& srm, const std::string& wanted) {
  BasicParameter<T>* found = nullptr;
  for_each_parameter(srm, [&](const std::string& name, auto& p) {
    if (name == wanted) found = &p;
  });
  REQUIRE(found != nullptr);
  return *found;
}

template <class T>
Buffer<T>& state(Srm<T>& srm, const std::string& wanted) {
  Buffer<T>* found = nullptr;
  for_each_state(srm, [&](const std::string& name, auto& s) {
    if (name == wanted) found = &s.value;
  });
  REQUIRE(found != nullptr);
  return *found;
}

template <class T>
Tensor<T> sine(const Shape& shape) {
  Tensor<T> x(shape);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(std::sin(0.5 * static_cast<double>(i)));
  return x;
}

/// The module of T2 and T3.
Srm<double> example() {
  Srm<double> srm(2);
  parameter(srm, "cfc").value = {0.5, -0.25, 1, 2};
  return srm;
}

}  // namespace

TEST_CASE("SRM agrees with the reference vectors") {
  check_cases("srm_", []<class T>(const Golden& g) { return Srm<T>(g.sizes("x")[1]); });
}

TEST_CASE("SRM halves its input at the start (T1)") {
  const auto x = noise<float>({4, 5, 7, 7}, 1, 3);
  Srm<float> srm(5);
  Tensor<float> y(x.shape());
  const auto halved = [&] {
    for (Index i = 0; i < x.size(); ++i)
      if (y.data()[i] != 0.5F * x.data()[i]) return false;
    return true;
  };
  srm.infer(x, y);
  CHECK(halved());
  Srm<float>::Tape tape;
  srm.forward(x, y, tape);
  CHECK(halved());
  for (const float mean : state(srm, "bn.running_mean")) CHECK(mean == 0);
  for (const float var : state(srm, "bn.running_var")) CHECK(var == doctest::Approx(0.9));
}

TEST_CASE("SRM's forward on a worked example (T2)") {
  const auto x = sine<double>({3, 2, 4, 4});
  auto srm = example();
  Tensor<double> y(x.shape());
  Srm<double>::Tape tape;
  srm.forward(x, y, tape);
  const double gates[3][2] = {{0.627205673, 0.784579235}, {0.198189917, 0.241943747}, {0.706282811, 0.462445346}};
  for (Index n = 0; n < 3; ++n)
    for (Index c = 0; c < 2; ++c) CHECK(std::abs(y(n, c, 1, 1) / x(n, c, 1, 1) - gates[n][c]) <= 1e-9);
  CHECK(std::abs(y(0, 0, 0, 1) - 0.3006984178) <= 1e-10);
  CHECK(std::abs(y(2, 1, 3, 3) + 0.1698586492) <= 1e-10);
  CHECK(std::abs(state(srm, "bn.running_mean")[0] + 0.0158050244) <= 1e-10);
  CHECK(std::abs(state(srm, "bn.running_mean")[1] - 0.1431761843) <= 1e-10);
  CHECK(std::abs(state(srm, "bn.running_var")[0] - 0.9007361977) <= 1e-10);
  CHECK(std::abs(state(srm, "bn.running_var")[1] - 0.9018982960) <= 1e-10);
}

TEST_CASE("SRM's gradients agree with difference quotients (T3)") {
  auto srm = example();
  parameter(srm, "bn.weight").value = {1.3, 0.7};
  parameter(srm, "bn.bias").value = {0.2, -0.1};
  for (const bool frozen : {false, true}) {
    const auto report = gradient_check(srm, {3, 2, 4, 4}, {.rtol = 1e-8, .frozen = frozen});
    CHECK_MESSAGE(report.good, report.text);
  }
}

TEST_CASE("the deviation's part of SRM's data gradient sums to zero (T3)") {
  auto srm = example();
  const auto x = sine<double>({3, 2, 4, 4});
  const auto dy = noise<double>(x.shape(), 3);
  Tensor<double> y(x.shape());
  Tensor<double> dx(x.shape());
  Srm<double>::Tape tape;
  srm.forward(x, y, tape);
  srm.backward(x, dy, dx, tape);
  // sum_k (dx - g dy) = dz w0, so channel by channel the sums over n stand to each other as dz:
  // their total is w0 sum_n dz = 0, because batch norm removes the mean.
  for (Index c = 0; c < 2; ++c) {
    double total = 0;
    for (Index n = 0; n < 3; ++n) {
      const double g = y(n, c, 1, 1) / x(n, c, 1, 1);
      for (Index k = 0; k < 16; ++k) total += dx.view().plane(n, c)[k] - g * dy.view().plane(n, c)[k];
    }
    CHECK(std::abs(total) <= 1e-12);
  }
}

TEST_CASE_TEMPLATE("SRM on constant planes (T4)", T, float, double) {
  for (const Index side : {7, 56, 112}) {
    const double levels[4] = {0, 0.1, 123.456, -9999.7};
    Tensor<T> x({4, 2, side, side});
    for (Index n = 0; n < 4; ++n)
      for (Index c = 0; c < 2; ++c)
        for (Index k = 0; k < side * side; ++k) x.view().plane(n, c)[k] = static_cast<T>(levels[(n + c) % 4]);
    Srm<T> srm(2);
    parameter(srm, "cfc").value = {T(0.5), T(-0.25), T(1), T(2)};
    Tensor<T> y(x.shape());
    Tensor<T> dx(x.shape());
    const auto dy = noise<T>(x.shape(), 5);
    typename Srm<T>::Tape tape;
    srm.forward(x, y, tape);
    for (Index plane = 0; plane < 8; ++plane)
      CHECK(std::abs(at(tape.style, 2 * plane + 1) / std::sqrt(1e-5) - 1) <= 1e-12);
    srm.backward(x, dy, dx, tape);
    for (Index i = 0; i < x.size(); ++i) REQUIRE((std::isfinite(y.data()[i]) && std::isfinite(dx.data()[i])));
    // dx = g dy + dz w0 / K: the same addition for every element of a plane.
    for (Index n = 0; n < 4; ++n) {
      const double g = at(tape.gate, n).scale;  // channel 0
      const auto extra = [&](Index k) {
        return static_cast<double>(dx.view().plane(n, 0)[k]) - g * static_cast<double>(dy.view().plane(n, 0)[k]);
      };
      CHECK(std::abs(extra(0) - extra(side * side - 1)) <= 1e-6);
    }
  }
}

TEST_CASE_TEMPLATE("SRM on planes far from zero (T5)", T, float, double) {
  for (const double offset : {1e4, -1e4})
    for (const double scale : {1.0, 1e-3}) {
      Tensor<T> x({2, 1, 56, 56});
      double mean = 0;
      for (Index i = 0; i < x.size(); ++i) {
        x.data()[i] = static_cast<T>(scale * (offset + 0.1 * std::sin(static_cast<double>(i % 3136))));
        if (i < 3136) mean += static_cast<double>(x.data()[i]) / 3136;
      }
      double variance = 0;
      for (Index i = 0; i < 3136; ++i)
        variance += (static_cast<double>(x.data()[i]) - mean) * (static_cast<double>(x.data()[i]) - mean) / 3135;
      if (scale == 1) CHECK(std::abs(variance / 4.99932e-3 - 1) <= 1e-3);
      Srm<T> srm(1);
      Tensor<T> y(x.shape());
      typename Srm<T>::Tape tape;
      srm.forward(x, y, tape);
      CHECK(std::abs(tape.style[1] / std::sqrt(variance + 1e-5) - 1) <= 1e-6);
    }
}

TEST_CASE("what SRM's gates do not depend on (T6)") {
  Srm<double> srm(3);
  stir_parameters(srm, 2);
  const auto x = noise<double>({4, 3, 5, 5}, 7);
  const auto gates = [&srm](const Tensor<double>& input) {
    Tensor<double> y(input.shape());
    Srm<double>::Tape tape;
    srm.forward(input, y, tape);
    Buffer<double> scales;
    for (const Affine& gate : tape.gate) scales.push_back(gate.scale);  // (C, N)
    return scales;
  };
  const auto before = gates(x);

  auto reversed = x;
  for (Index n = 0; n < 4; ++n)
    for (Index c = 0; c < 3; ++c)
      std::reverse(reversed.view().plane(n, c), reversed.view().plane(n, c) + x.shape().plane());
  CHECK(relative_error(gates(reversed), before) <= 1e-6);

  auto shifted = x;  // one constant added to a channel of every sample: batch norm removes it
  for (Index n = 0; n < 4; ++n)
    for (Index k = 0; k < 25; ++k) shifted.view().plane(n, 1)[k] += 2.5;
  CHECK(relative_error(gates(shifted), before) <= 1e-6);

  auto other = x;  // another channel changes: nothing else moves by a bit
  for (Index n = 0; n < 4; ++n)
    for (Index k = 0; k < 25; ++k) other.view().plane(n, 2)[k] *= 1.5 + static_cast<double>(n);
  const auto after = gates(other);
  for (std::size_t i = 0; i < 8; ++i) CHECK(after[i] == before[i]);
  for (std::size_t i = 8; i < 12; ++i) CHECK(after[i] != before[i]);
}

TEST_CASE("SRM on degenerate sizes (T9)") {
  Srm<float> srm(3);
  stir_parameters(srm, 4);
  Srm<float>::Tape tape;
  SUBCASE("one pixel") {
    const auto x = noise<float>({4, 3, 1, 1}, 1);
    Tensor<float> y(x.shape());
    Tensor<float> dx(x.shape());
    srm.forward(x, y, tape);
    srm.backward(x, x, dx, tape);
    for (Index i = 0; i < x.size(); ++i) CHECK((std::isfinite(y.data()[i]) && std::isfinite(dx.data()[i])));
  }
  SUBCASE("one sample in training is refused before anything is written") {
    const auto x = noise<float>({1, 3, 4, 4}, 1);
    Tensor<float> y(x.shape(), 7.0F);
    CHECK_THROWS_WITH_AS(srm.forward(x, y, tape),
                         doctest::Contains("at least 2 values per channel in training, found 1"), error);
    for (Index i = 0; i < y.size(); ++i) CHECK(y.data()[i] == 7.0F);
    CHECK(state(srm, "bn.running_var")[0] == 1.0F);
    srm.infer(x, y);
    srm.forward_frozen(x, y, tape);
    CHECK(std::isfinite(y.data()[0]));
  }
  SUBCASE("no samples, no pixels") {
    Tensor<float> x(Shape{0, 3, 4, 4});
    Tensor<float> y(x.shape());
    srm.infer(x, y);
    srm.forward(x, y, tape);
    srm.backward(x, x, y, tape);
    CHECK(state(srm, "bn.running_var")[0] == 1.0F);
    Tensor<float> flat(Shape{2, 3, 0, 4});
    Tensor<float> flat_y(flat.shape());
    srm.forward(flat, flat_y, tape);
  }
}

TEST_CASE("SRM's inference after many training steps on one batch (T10)") {
  Srm<double> srm(4);
  stir_parameters(srm, 9);
  const auto x = noise<double>({5, 4, 6, 6}, 3);
  Tensor<double> y(x.shape());
  Srm<double>::Tape tape;
  for (int step = 0; step < 260; ++step) srm.forward(x, y, tape);
  srm.infer(x, y);
  auto& cfc = parameter(srm, "cfc").value;
  for (Index c = 0; c < 4; ++c) {
    double z[5];
    double mean = 0;
    double variance = 0;
    for (Index n = 0; n < 5; ++n) {
      const Index row = c * 5 + n;
      z[n] = at(cfc, 2 * c) * at(tape.style, 2 * row) + at(cfc, 2 * c + 1) * at(tape.style, 2 * row + 1);
      mean += z[n] / 5;
    }
    for (const double value : z) variance += (value - mean) * (value - mean) / 4;  // unbiased
    for (Index n = 0; n < 5; ++n) {
      const double normal = (z[n] - mean) / std::sqrt(variance + 1e-5);
      const double folded = at(parameter(srm, "bn.weight").value, c) * normal + at(parameter(srm, "bn.bias").value, c);
      CHECK(std::abs(y(n, c, 0, 0) / x(n, c, 0, 0) - 1 / (1 + std::exp(-folded))) <= 1e-6);
    }
  }
}

TEST_CASE_TEMPLATE("SRM in half precision (T11)", T, half, bfloat16) {
  Srm<float> srm(2);
  stir_parameters(srm, 6);
  const auto x = noise<T>({3, 2, 9, 9}, 8, 2);
  Tensor<float> wide(x.shape());
  for (Index i = 0; i < x.size(); ++i) wide.data()[i] = static_cast<float>(x.data()[i]);
  Tensor<T> y(x.shape());
  Tensor<float> wide_y(x.shape());
  Srm<float>::Tape tape;
  srm.forward(x, y, tape);
  srm.forward(wide, wide_y, tape);
  const double one_rounding = std::is_same_v<T, half> ? 0x1p-11 : 0x1p-8;
  for (Index i = 0; i < x.size(); ++i)
    CHECK(std::abs(static_cast<double>(static_cast<float>(y.data()[i])) - static_cast<double>(wide_y.data()[i])) <=
          one_rounding * std::abs(static_cast<double>(wide_y.data()[i])) + 1e-7);
}
