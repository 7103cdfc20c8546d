// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace recal {

/// A T for the time of a call whose memory this thread keeps for the next such call. What it holds at first is
/// whatever an earlier call left. Calls may nest: each gets a T of its own, and that is kept too.
template <class T>
class Kept {
 public:
  Kept() : value_(take()) {}
  ~Kept() {
    --shelf().taken;
    shelf().free.push_back(std::move(value_));  // there is room, see take()
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  [[nodiscard]] T& operator*() noexcept { return value_; }
  [[nodiscard]] T* operator->() noexcept { return &value_; }
  [[nodiscard]] const T& operator*() const noexcept { return value_; }
  [[nodiscard]] const T* operator->() const noexcept { return &value_; }

 private:
  /// What is kept, and how many are in use.
  struct Shelf {
    std::vector<T> free;
    std::size_t taken = 0;
  };

  /// Not inlined: in a shared library each use of what is inlined would ask for the thread's memory anew.
  [[gnu::noinline]] static Shelf& shelf() {
    thread_local Shelf own;
    return own;
  }

  static T take() {
    Shelf& own = shelf();
    own.free.reserve(own.free.size() + own.taken + 1);
    T value;
    if (!own.free.empty()) {
      value = std::move(own.free.back());
      own.free.pop_back();
    }
    ++own.taken;
    return value;
  }

  T value_;
};

}  // namespace recal
