// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include "tests/support/host_run/sanitizer_switch.hpp"

namespace recal::testing {

/// What fibers work on: each runs its own index.
struct FiberTask {
  virtual void run(int index) noexcept = 0;

 protected:
  ~FiberTask() = default;
};

/// A stack of its own that lives on from task to task.
class Fiber {
 public:
  /// Stacks of different colours do not compete for the same lines of the cache.
  explicit Fiber(std::size_t colour)
      : stack_(Stack(stack_bytes).allocate()),
        fiber_(std::allocator_arg, boost::context::preallocated(top(colour), stack_.size - shift(colour), stack_),
               Stack(stack_bytes), [this](boost::context::fiber&& caller) { return main(std::move(caller)); }) {}
  Fiber(const Fiber&) = delete;
  ~Fiber() { start(nullptr, 0); }

  /// Runs task->run(index) until it returns or suspends itself.
  void start(FiberTask* task, int index) {
    task_ = task;
    index_ = index;
    resume();
  }

  void resume() {
    sanitizers_.before_resume(static_cast<const char*>(stack_.sp) - stack_.size, stack_.size);
    fiber_ = std::move(fiber_).resume();
    sanitizers_.after_resume();
  }

  /// On the fiber: goes back to who resumed it.
  void suspend() {
    sanitizers_.before_suspend();
    caller_ = std::move(caller_).resume();
    sanitizers_.after_suspend();
  }

 private:
  using Stack = boost::context::protected_fixedsize_stack;
  static constexpr std::size_t stack_bytes = std::size_t{256} << 10U;

  [[nodiscard]] static std::size_t shift(std::size_t colour) { return colour % 31 * 192; }
  [[nodiscard]] void* top(std::size_t colour) const { return static_cast<char*>(stack_.sp) - shift(colour); }

  boost::context::fiber main(boost::context::fiber&& caller) {
    caller_ = std::move(caller);
    sanitizers_.after_suspend();
    while (task_ != nullptr) {
      task_->run(index_);
      suspend();
    }
    sanitizers_.before_suspend(true);
    return std::move(caller_);
  }

  boost::context::stack_context stack_;
  SanitizerSwitch sanitizers_;
  FiberTask* task_ = nullptr;
  int index_ = 0;
  boost::context::fiber caller_;
  boost::context::fiber fiber_;
};

/// The calling thread's fibers, made when they are first wanted.
[[nodiscard]] inline Fiber& pooled_fiber(std::size_t index) {
  static thread_local std::vector<std::unique_ptr<Fiber>> pool;
  while (pool.size() <= index) pool.push_back(std::make_unique<Fiber>(pool.size()));
  return *pool[index];
}

}  // namespace recal::testing
