// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <recal/core/shape.hpp>

namespace recal::train {

/// Learning rates are pure functions of the step, so that a resumed run needs no state of them.
/// All schedules begin with the same warm-up: over the first `warmup` steps the rate rises linearly,
///   rate(step) = base * (step + 1) / (warmup + 1)   for step < warmup.
namespace detail {

[[nodiscard]] inline double warm(double base, Index step, Index warmup) {
  return base * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
}

}  // namespace detail

/// base * factor^(number of milestones reached). Milestones are steps, counted from the start (warm-up included).
struct StepSchedule {
  double base = 0.1;
  std::vector<Index> milestones;
  double factor = 0.1;
  Index warmup = 0;

  [[nodiscard]] double operator()(Index step) const {
    if (step < warmup) return detail::warm(base, step, warmup);
    const auto reached = std::count_if(milestones.begin(), milestones.end(), [step](Index m) { return step >= m; });
    return base * std::pow(factor, static_cast<double>(reached));
  }
};

/// Half a cosine from base, at the end of the warm-up, to `last`, at step `steps` and after it.
///   rate = last + (base - last) (1 + cos(pi t)) / 2,   t = (step - warmup) / (steps - warmup)
/// Source: Loshchilov and Hutter 2017, without restarts.
struct CosineSchedule {
  double base = 0.1;
  Index steps = 1;
  Index warmup = 0;
  double last = 0.0;

  [[nodiscard]] double operator()(Index step) const {
    if (step < warmup) return detail::warm(base, step, warmup);
    if (step >= steps) return last;
    const double t = static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
    return last + 0.5 * (base - last) * (1.0 + std::cos(std::numbers::pi * t));
  }
};

}  // namespace recal::train
