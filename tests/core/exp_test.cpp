// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <recal/core/exp.hpp>

namespace {

using P = recal::pack_for<double>;

/// How many units in the last place exp(x) is off.
double error(double x) {
  const long double exact = std::exp(static_cast<long double>(x));
  const auto rounded = static_cast<double>(exact);
  const double unit = std::nextafter(rounded, std::numeric_limits<double>::infinity()) - rounded;
  return static_cast<double>(std::abs(static_cast<long double>(recal::exp(P(x)).v[0]) - exact)) / unit;
}

double exp_of(double x) { return recal::exp(P(x)).v[P::lanes - 1]; }

}  // namespace

TEST_CASE("exp is right to 1.5 units in the last place wherever it is a normal number") {
  double worst = 0;
  for (double x = -708; x < 709.4; x += 0.00917) worst = std::max(worst, error(x));
  for (double x = -1; x < 1; x += 0.0000917) worst = std::max(worst, error(x));
  for (const double x : {1e-300, -1e-17, 1e-9, -708.0, 709.4, 0.34657359027997264, -0.34657359027997264})
    worst = std::max(worst, error(x));
  CHECK(worst <= 1.5);
  MESSAGE("worst: ", worst);
}

TEST_CASE("exp beyond the normal numbers is 0 or infinity, of 0 exactly 1, and NaN of NaN") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(exp_of(0.0) == 1.0);
  CHECK(exp_of(-0.0) == 1.0);
  for (const double low : {-708.5, -745.0, -1e4, -1e300, -infinity}) CHECK(exp_of(low) == 0.0);
  for (const double high : {709.8, 1e4, 1e300, infinity}) CHECK(exp_of(high) == infinity);
  CHECK(std::isnan(exp_of(std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("every lane has its own exponential") {
  P x;
  for (int lane = 0; lane < P::lanes; ++lane) x.v[lane] = 3.5 * lane - 4;
  const P found = recal::exp(x);
  for (int lane = 0; lane < P::lanes; ++lane) CHECK(found.v[lane] == exp_of(3.5 * lane - 4));
}
