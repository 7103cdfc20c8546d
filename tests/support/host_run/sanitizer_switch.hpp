// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RECAL_TESTING_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define RECAL_TESTING_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define RECAL_TESTING_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define RECAL_TESTING_TSAN 1
#endif

#if defined(RECAL_TESTING_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(RECAL_TESTING_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace recal::testing {

/// Tells the sanitizers of switches between a thread and one of its fibers. Does nothing without them.
class SanitizerSwitch {
 public:
#if defined(RECAL_TESTING_TSAN)
  SanitizerSwitch() : fiber_(__tsan_create_fiber(0)) {}
  SanitizerSwitch(const SanitizerSwitch&) = delete;
  ~SanitizerSwitch() { __tsan_destroy_fiber(fiber_); }
#else
  SanitizerSwitch() = default;
  SanitizerSwitch(const SanitizerSwitch&) = delete;
#endif

  /// On the thread, before and after it runs the fiber, whose stack begins at `bottom`.
  void before_resume([[maybe_unused]] const void* bottom, [[maybe_unused]] std::size_t bytes) {
#if defined(RECAL_TESTING_ASAN)
    __sanitizer_start_switch_fiber(&thread_stack_, bottom, bytes);
#endif
#if defined(RECAL_TESTING_TSAN)
    thread_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber_, 0);
#endif
  }
  void after_resume() {
#if defined(RECAL_TESTING_TSAN)
    __tsan_switch_to_fiber(thread_, 0);
#endif
#if defined(RECAL_TESTING_ASAN)
    __sanitizer_finish_switch_fiber(thread_stack_, nullptr, nullptr);
#endif
  }

  /// On the fiber, before it goes back to the thread, and whenever it goes on or begins.
  void before_suspend([[maybe_unused]] bool for_ever = false) {
#if defined(RECAL_TESTING_ASAN)
    __sanitizer_start_switch_fiber(for_ever ? nullptr : &fiber_stack_, bottom_, bytes_);
#endif
  }
  void after_suspend() {
#if defined(RECAL_TESTING_ASAN)
    __sanitizer_finish_switch_fiber(fiber_stack_, &bottom_, &bytes_);
#endif
  }

 private:
#if defined(RECAL_TESTING_ASAN)
  void* thread_stack_ = nullptr;
  void* fiber_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t bytes_ = 0;
#endif
#if defined(RECAL_TESTING_TSAN)
  void* thread_ = nullptr;
  void* fiber_;
#endif
};

}  // namespace recal::testing
