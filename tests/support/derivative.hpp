// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace recal::testing {

/// df/dvalue by fourth-order difference quotients of f(), which looks at `value`. Of several steps the one whose
/// quotient is nearest to `expected` counts: a kink near the value wants a small step.
template <class F>
[[nodiscard]] double derivative_near(double expected, double& value, const F& f) {
  const double kept = value;
  const auto difference = [&](double h) {
    value = kept + h;
    const double above = f();
    value = kept - h;
    const double below = f();
    value = kept;
    return above - below;
  };
  double best = std::numeric_limits<double>::infinity();
  for (const double h : {1e-3, 2e-4, 4e-5, 8e-6}) {
    const double found = (8 * difference(h) - difference(2 * h)) / (12 * h);
    if (std::abs(found - expected) < std::abs(best - expected)) best = found;
  }
  return best;
}

/// The largest difference of two rows of numbers, relative to the largest number expected; infinite with a NaN.
[[nodiscard]] inline double relative_error(std::span<const double> found, std::span<const double> expected) {
  double scale = 0;
  for (const double value : expected) scale = std::max(scale, std::abs(value));
  double worst = found.size() == expected.size() ? 0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    const double error = std::abs(found[i] - expected[i]) / (scale > 0 ? scale : 1);
    worst = error <= worst ? worst : std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  return worst;
}

/// How far `gradient` is from the difference quotients of f() in `values`.
template <class F>
[[nodiscard]] double gradient_error(std::span<const double> gradient, std::span<double> values, const F& f) {
  double scale = 0;
  for (const double value : gradient) scale = std::max(scale, std::abs(value));
  double worst = gradient.size() == values.size() ? 0 : std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < std::min(gradient.size(), values.size()); ++i) {
    const double error = std::abs(derivative_near(gradient[i], values[i], f) - gradient[i]) / (scale > 0 ? scale : 1);
    worst = error <= worst ? worst : std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  return worst;
}

}  // namespace recal::testing
