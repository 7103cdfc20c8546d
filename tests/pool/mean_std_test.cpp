// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/pool/mean_std.hpp>

#include "tests/support/pool_check.hpp"

using recal::Buffer;
using recal::Index;
using recal::MeanStd;
using namespace recal::testing;

namespace {

/// offset + scale sin(i), i < count.
template <class T>
Buffer<T> wave(Index count, double offset, double scale) {
  Buffer<T> plane(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < plane.size(); ++i)
    plane[i] = T(static_cast<float>(offset + scale * std::sin(static_cast<double>(i))));
  return plane;
}

/// The unbiased variance, from sigma.
template <class T>
double variance_of(const Buffer<T>& plane) {
  const double sigma = style_of(MeanStd{.eps = 0}, plane)[1];
  return sigma * sigma;
}

/// The unbiased variance, two passes in long double.
template <class T>
double variance_expected(const Buffer<T>& plane) {
  const auto count = static_cast<long double>(plane.size());
  long double mean = 0;
  for (const T value : plane) mean += static_cast<long double>(value) / count;
  long double squares = 0;
  for (const T value : plane)
    squares += (static_cast<long double>(value) - mean) * (static_cast<long double>(value) - mean);
  return static_cast<double>(squares / (count - 1));
}

}  // namespace

TEST_CASE("mean, and deviation with the unbiased variance and eps inside the root") {
  const auto t = style_of(MeanStd{}, Buffer<double>{1, 2, 3, 6});
  CHECK(t[0] == 3);
  CHECK(t[1] == doctest::Approx(std::sqrt(14.0 / 3 + 1e-5)).epsilon(1e-15));
  CHECK(style_of(MeanStd{.eps = 1}, Buffer<double>{1, 2, 3, 6})[1] == doctest::Approx(std::sqrt(14.0 / 3 + 1)));
}

TEST_CASE("its gradient is that of the difference quotient, with an offset too") {
  for (const Index count : {1, 2, 5, 49}) {
    CHECK(pool_gradient_error(MeanStd{}, count) < 1e-8);
    CHECK(pool_gradient_error(MeanStd{}, count, 10, 11) < 1e-8);
  }
}

TEST_CASE("one pixel has no deviation, and no gradient from it") {
  const auto t = style_of(MeanStd{}, Buffer<float>{5});
  CHECK(t[0] == 5);
  CHECK(t[1] == std::sqrt(1e-5));
  const auto dx = pulled(MeanStd{}, Buffer<double>{5}, {0.0, 1.0});
  CHECK(dx[0] == 0);
}

TEST_CASE_TEMPLATE("constant planes have the deviation of eps alone and a flat gradient", T, float, double, recal::half,
                   recal::bfloat16) {
  for (const float value : {0.0F, 0.1F, 123.456F, -9999.7F})
    for (const Index count : {49, 3136, 12544}) {
      const auto t = style_of(MeanStd{}, Buffer<T>(static_cast<std::size_t>(count), T(value)));
      CHECK(t[0] == static_cast<double>(T(value)));
      CHECK(t[1] == doctest::Approx(3.16227766016837933e-3).epsilon(1e-14));
    }
  const auto dx = pulled(MeanStd{}, Buffer<double>(49, 123.456), {0.0, 1.0});
  for (const double value : dx) CHECK(value == 0);
}

TEST_CASE("an offset of 1e4 leaves the variance of the wave, in float") {
  CHECK(variance_of(wave<float>(3136, 1e4, 0.1)) == doctest::Approx(4.99932e-3).epsilon(1e-3));
  CHECK(variance_of(wave<float>(3136, -1e4, 0.1)) == doctest::Approx(4.99932e-3).epsilon(1e-3));
  for (const double offset : {1e4, -1e4, 1e6})
    for (const double scale : {0.1, 1e-3}) {
      const auto plane = wave<float>(3136, offset, scale);
      CHECK(variance_of(plane) == doctest::Approx(variance_expected(plane)).epsilon(1e-5));
    }
}

TEST_CASE("one element far from all others costs the variance no digits, wherever it stands") {
  for (const Index count : {49, 196, 3136, 12544})
    for (const Index odd : {Index{0}, Index{7}, count / 2, count - 1}) {
      auto plane = noise<float>("plane", count, 9.9, 10.1);
      at(plane, odd) = 0;
      CHECK(variance_of(plane) == doctest::Approx(variance_expected(plane)).epsilon(1e-5));
    }
}

TEST_CASE_TEMPLATE("half precision: ones, and squares beyond its range", T, recal::half, recal::bfloat16) {
  CHECK(style_of(MeanStd{}, Buffer<T>(4096, T(1.0F)))[0] == 1);
  Buffer<T> plane(4096);
  for (std::size_t i = 0; i < plane.size(); ++i) plane[i] = T(i % 2 == 0 ? 300.0F : -300.0F);
  const auto t = style_of(MeanStd{}, plane);
  CHECK(t[0] == 0);
  CHECK(t[1] == doctest::Approx(300 * std::sqrt(4096.0 / 4095)).epsilon(1e-7));
}

TEST_CASE("half precision: 40000 everywhere") {
  const auto t = style_of(MeanStd{}, Buffer<recal::half>(4096, recal::half(40000.0F)));
  CHECK(t[0] == 40000);
  CHECK(t[1] == std::sqrt(1e-5));
}
