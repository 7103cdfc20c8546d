// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "tests/support/host_run/machine.hpp"

namespace recal::testing {

/// A host run with as many multiprocessors as are asked for: with 1 every channel that fits is walked in one launch,
/// with `many` none is, and large planes are cut.
class SizedMachine : public HostMachine {
 public:
  static constexpr int many = 1000;

  explicit SizedMachine(int multiprocessors, const Schedule& schedule = Schedule::forward(), Checks checks = Checks::on)
      : HostMachine(schedule, checks), multiprocessors_(multiprocessors) {}

  [[nodiscard]] int multiprocessors() const { return multiprocessors_; }

 private:
  int multiprocessors_;
};

[[nodiscard]] inline std::vector<Schedule> every_schedule() {
  return {Schedule::forward(), Schedule::reverse(), Schedule::random(3)};
}

}  // namespace recal::testing
