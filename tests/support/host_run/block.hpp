// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include <recal/backend/cuda/context.hpp>

#include "tests/support/host_run/device_memory.hpp"
#include "tests/support/host_run/fiber.hpp"
#include "tests/support/host_run/report.hpp"
#include "tests/support/host_run/schedule.hpp"
#include "tests/support/host_run/shared_memory.hpp"
#include "tests/support/host_run/traffic.hpp"
#include "tests/support/host_run/waits.hpp"

namespace recal::testing {

/// off: bounds and alignment of accesses, barriers and shuffles are checked still; not who wrote and read what.
enum class Checks { on, off };

class Block;

/// A kernel of whatever type.
struct Body {
  const void* kernel;
  void (*call)(const void* kernel, Block& block, int thread);
};

/// What the blocks of a launch have in common.
struct LaunchRun {
  cuda::Launch launch;
  std::string kernel;
  Body body;
  Schedule& schedule;
  Checks checks;
  DeviceMemory& memory;
  SharedMemory& shared;
  Clock& clock;
  Traffic traffic{};
};

/// Runs the threads of one block after the other, each a fiber, in turns that end at barriers and shuffles.
class Block final : public FiberTask {
 public:
  explicit Block(LaunchRun& launch)
      : launch_(launch), lanes_(static_cast<std::size_t>(launch.launch.threads)), order_(lanes_.size()) {}

  /// Throws kernel_fault where a thread breaks a rule, and whatever the kernel throws.
  void run_block(Index index) {
    index_ = index;
    launch_.clock.begin_block(index);
    launch_.shared.begin_block(launch_.launch.shared_bytes);
    std::fill(lanes_.begin(), lanes_.end(), Lane{});
    abandoned_ = false;
    thrown_ = nullptr;
    try {
      while (!finished()) {
        take_turns();
        release();
      }
    } catch (...) {
      abandon();
      throw;
    }
  }

  void run(int thread) noexcept override {
    try {
      launch_.body.call(launch_.body.kernel, *this, thread);
    } catch (const Abandoned&) {
    } catch (...) {
      if (thrown_ == nullptr) thrown_ = std::current_exception();
    }
    lane(thread).state = State::finished;
  }

  [[nodiscard]] LaunchRun& launch() { return launch_; }
  [[nodiscard]] Index index() const { return index_; }

  [[noreturn]] void fail(int thread, const Place& place, const std::string& what) const {
    fault({launch_.kernel, index_, thread, place}, what);
  }

  /// On a thread's fiber: until all threads are here.
  void barrier(int thread, const Place& place) {
    lane(thread) = {State::barrier, place};
    wait(thread);
  }

  /// On a thread's fiber: until all lanes of the warp are here.
  [[nodiscard]] std::uint64_t shuffle(int thread, const Lane& how) {
    if (how.operand < 0 || how.operand >= cuda::warp_lanes)
      fail(thread, how.place, text_of("shuffle out of range: 0 <= ", how.operand, " < 32 does not hold"));
    lane(thread) = how;
    wait(thread);
    return lane(thread).result;
  }

 private:
  struct Abandoned {};

  [[nodiscard]] Lane& lane(int thread) { return lanes_[static_cast<std::size_t>(thread)]; }

  void wait(int thread) {
    pooled_fiber(static_cast<std::size_t>(thread)).suspend();
    if (abandoned_) throw Abandoned{};
  }

  [[nodiscard]] bool finished() const {
    return std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.state == State::finished; });
  }

  void take_turns() {
    launch_.schedule.arrange(order_);
    for (const int thread : order_) {
      Fiber& fiber = pooled_fiber(static_cast<std::size_t>(thread));
      if (lane(thread).state == State::fresh) {
        lane(thread).state = State::ready;
        fiber.start(this, thread);
      } else if (lane(thread).state == State::ready) {
        fiber.resume();
      }
      if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    }
  }

  void release() {
    if (release_barrier()) return;
    bool any = finished();
    for (std::size_t first = 0; first < lanes_.size(); first += cuda::warp_lanes) any |= release_warp(first);
    if (!any) fail_stuck();
  }

  [[nodiscard]] bool release_barrier() {
    const auto waits = [](const Lane& lane) { return lane.state == State::barrier; };
    if (!std::all_of(lanes_.begin(), lanes_.end(), waits)) return false;
    for (const Lane& lane : lanes_)
      if (!lane.meets(lanes_[0])) fail_stuck();
    for (Lane& lane : lanes_) lane.state = State::ready;
    launch_.clock.barrier();
    return true;
  }

  /// Exchanges the values of a warp, all of whose lanes are in the same shuffle.
  [[nodiscard]] bool release_warp(std::size_t first) {
    const std::span<Lane> warp(&lanes_[first], cuda::warp_lanes);
    for (const Lane& lane : warp)
      if (!lane.shuffles() || !lane.meets(warp[0])) return false;
    for (std::size_t k = 0; k < warp.size(); ++k) {
      const auto operand = static_cast<std::size_t>(warp[k].operand);
      const std::size_t from = warp[k].state == State::shuffle ? operand : k + operand;
      warp[k].result = warp[from < warp.size() ? from : k].value;
    }
    for (Lane& lane : warp) lane.state = State::ready;
    return true;
  }

  [[noreturn]] void fail_stuck() const {
    const std::span<const Lane> all(lanes_);
    for (std::size_t first = 0; first < all.size(); first += cuda::warp_lanes) {
      const auto warp = all.subspan(first, cuda::warp_lanes);
      if (std::any_of(warp.begin(), warp.end(), [](const Lane& lane) { return lane.shuffles(); }))
        fail_stuck(is_mixed(warp) ? "mismatched shuffle: " : "partial shuffle: ", warp, first);
    }
    fail_stuck("divergent barrier: ", all, 0);
  }

  /// Whether lanes are in shuffles, but not in the same one.
  [[nodiscard]] static bool is_mixed(std::span<const Lane> warp) {
    return std::all_of(warp.begin(), warp.end(), [](const Lane& lane) { return lane.shuffles(); });
  }

  [[noreturn]] void fail_stuck(const char* name, std::span<const Lane> lanes, std::size_t first) const {
    const auto waiting = std::find_if(lanes.begin(), lanes.end(), [](const Lane& lane) { return lane.waits(); });
    const auto thread = static_cast<int>(first) + static_cast<int>(waiting - lanes.begin());
    fail(thread, waiting->place, name + text_of_lanes(lanes, first));
  }

  /// Unwinds the threads that have not finished.
  void abandon() {
    abandoned_ = true;
    for (std::size_t k = 0; k < lanes_.size(); ++k)
      if (lanes_[k].state != State::fresh && lanes_[k].state != State::finished) pooled_fiber(k).resume();
  }

  LaunchRun& launch_;
  Index index_ = 0;
  std::vector<Lane> lanes_;
  std::vector<int> order_;
  bool abandoned_ = false;
  std::exception_ptr thrown_;
};

}  // namespace recal::testing
