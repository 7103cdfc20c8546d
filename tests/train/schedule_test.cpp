// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/train/schedule.hpp>

namespace {

using doctest::Approx;
using recal::Index;
using recal::train::CosineSchedule;
using recal::train::StepSchedule;

TEST_CASE("the step schedule multiplies at every milestone") {
  const StepSchedule rate{.base = 0.4, .milestones = {10, 20}, .factor = 0.1};
  CHECK(rate(0) == 0.4);
  CHECK(rate(9) == 0.4);
  CHECK(rate(10) == Approx(0.04));
  CHECK(rate(19) == Approx(0.04));
  CHECK(rate(20) == Approx(0.004));
  CHECK(rate(1000) == Approx(0.004));
}

TEST_CASE("the cosine schedule goes from base over the middle to last") {
  const CosineSchedule rate{.base = 1.0, .steps = 100, .last = 0.2};
  CHECK(rate(0) == Approx(1.0));
  CHECK(rate(25) == Approx(0.2 + 0.4 * (1.0 + 0.70710678)));
  CHECK(rate(50) == Approx(0.6));
  CHECK(rate(100) == 0.2);
  CHECK(rate(5000) == 0.2);
  for (Index step = 1; step <= 100; ++step) CHECK(rate(step) < rate(step - 1));
}

TEST_CASE("warm-up rises linearly to the base in both schedules") {
  const StepSchedule steps{.base = 1.0, .milestones = {7}, .factor = 0.5, .warmup = 4};
  const CosineSchedule cosine{.base = 1.0, .steps = 14, .warmup = 4};
  for (Index step = 0; step < 4; ++step) {
    CHECK(steps(step) == Approx(0.2 * static_cast<double>(step + 1)));
    CHECK(cosine(step) == steps(step));
  }
  CHECK(steps(4) == 1.0);
  CHECK(steps(7) == 0.5);
  CHECK(cosine(4) == Approx(1.0));
  CHECK(cosine(9) == Approx(0.5));
  CHECK(cosine(14) == 0.0);
}

TEST_CASE("a warm-up longer than the run never divides by zero") {
  const CosineSchedule rate{.base = 1.0, .steps = 4, .warmup = 4, .last = 0.1};
  CHECK(rate(3) == Approx(0.8));
  CHECK(rate(4) == 0.1);
}

}  // namespace
