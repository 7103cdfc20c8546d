// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace recal {

/// A T for the time of a call whose memory this thread keeps for the next such call. What it holds at first is
/// whatever the last call left. Calls may nest: the inner one gets a T of its own.
template <class T>
class Kept {
 public:
  Kept() : value_(std::exchange(kept(), T{})) {}
  ~Kept() { kept() = std::move(value_); }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  [[nodiscard]] T& operator*() noexcept { return value_; }
  [[nodiscard]] T* operator->() noexcept { return &value_; }

 private:
  static T& kept() {
    thread_local T value;
    return value;
  }

  T value_;
};

}  // namespace recal
