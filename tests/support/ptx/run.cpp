// SPDX-License-Identifier: Apache-2.0
#include "tests/support/ptx/run.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <recal/core/error.hpp>

#include "tests/support/ptx/warp.hpp"

namespace recal::testing::ptx {

namespace {

/// Runs the blocks of a launch one after another, the threads of a block in turns between barriers.
class Run {
 public:
  Run(const Entry& entry, const cuda::Launch& launch, const void* kernel, std::size_t bytes, Memory& memory)
      : entry_(entry), launch_(launch) {
    check(!entry.local, entry.name, " uses local memory; none is wanted");
    check(bytes == entry.param_bytes, entry.name, " takes ", entry.param_bytes, " bytes, the kernel has ", bytes);
    check(launch.threads >= 1 && launch.threads <= 1024 && launch.blocks >= 0 && launch.shared_bytes >= 0, entry.name,
          ": a launch of ", launch.blocks, " blocks of ", launch.threads, " threads, ", launch.shared_bytes, " bytes");
    block_.entry = &entry;
    block_.memory = &memory;
    block_.params = static_cast<const std::byte*>(kernel);
    slots_.resize(entry.frame.size() * static_cast<std::size_t>(launch.threads));
    threads_.resize(static_cast<std::size_t>(launch.threads));
  }

  void all_blocks() {
    for (block_.index = 0; block_.index < launch_.blocks; ++block_.index) {
      start_block();
      while (!one_phase()) {
      }
    }
  }

 private:
  void start_block() {
    block_.shared.assign(entry_.shared_bytes + static_cast<std::size_t>(launch_.shared_bytes), std::byte{0xff});
    for (std::size_t k = 0; k < threads_.size(); ++k) {
      Slot* slots = slots_.data() + k * entry_.frame.size();
      std::copy(entry_.frame.begin(), entry_.frame.end(), slots);
      for (const Special& special : entry_.specials) slots[special.slot] = value_of(special.name, static_cast<int>(k));
      threads_[k] = Thread{entry_.code.data(), slots, &block_, static_cast<int>(k), Thread::State::ready, false};
    }
  }

  [[nodiscard]] Slot value_of(std::string_view name, int thread) const {
    const auto lane = static_cast<unsigned>(thread % cuda::warp_lanes);
    if (name == "%tid.x") return static_cast<Slot>(thread);
    if (name == "%ntid.x") return static_cast<Slot>(launch_.threads);
    if (name == "%ctaid.x") return static_cast<Slot>(block_.index);
    if (name == "%nctaid.x") return static_cast<Slot>(launch_.blocks);
    if (name == "%laneid") return lane;
    if (name == "%warpid") return static_cast<Slot>(thread / cuda::warp_lanes);
    if (name == "%nwarpid") return static_cast<Slot>((launch_.threads + cuda::warp_lanes - 1) / cuda::warp_lanes);
    if (name == "WARP_SZ") return cuda::warp_lanes;
    if (name == "%lanemask_eq") return 1U << lane;
    if (name == "%lanemask_lt") return (1U << lane) - 1;
    if (name == "%lanemask_le") return (2U << lane) - 1;
    if (name == "%lanemask_ge") return ~((1U << lane) - 1);
    if (name == "%lanemask_gt") return ~((2U << lane) - 1);
    return name.starts_with("%n") ? 1U : 0U;  // one row and one layer of threads and blocks
  }

  /// Until every thread is at a barrier or done. Whether all are done.
  [[nodiscard]] bool one_phase() {
    for (std::size_t first = 0; first < threads_.size(); first += cuda::warp_lanes)
      run_warp(std::span(threads_).subspan(first, std::min<std::size_t>(cuda::warp_lanes, threads_.size() - first)));
    const Thread& front = threads_.front();
    for (const Thread& thread : threads_) check_together(front, thread);
    if (front.state == Thread::State::done) return true;
    for (Thread& thread : threads_) {
      ++thread.at;
      thread.state = Thread::State::ready;
    }
    return false;
  }

  static void check_together(const Thread& front, const Thread& thread) {
    const Thread& waits = front.state == Thread::State::at_barrier ? front : thread;
    if (front.state != thread.state)
      fault(*waits.at, waits, "divergent barrier: thread ", waits.index, " waits, thread ",
            waits.index == front.index ? thread.index : front.index, " has left");
    if (front.state == Thread::State::at_barrier && front.at != thread.at)
      fault(*thread.at, thread, "divergent barrier: thread 0 waits at another one");
  }

  void run_warp(std::span<Thread> lanes) {
    Warp warp(lanes);
    do {
      for (Thread& thread : lanes)
        if (thread.state == Thread::State::ready) run_thread(thread);
    } while (warp.meet());
    warp.check_none_waits();
    count_coalesced();
  }

  void count_coalesced() {
    Traffic& traffic = block_.memory->traffic;
    traffic.coalesced_loaded += coalesced_bytes(block_.loaded);
    traffic.coalesced_stored += coalesced_bytes(block_.stored);
    block_.loaded.clear();
    block_.stored.clear();
  }

  /// Until the thread waits or is done.
  void run_thread(Thread& thread) {
    std::uint64_t count = 0;
    do {
      const Instruction& i = *thread.at++;
      ++count;
      if (i.guard != Instruction::nowhere && (get<Pred>(thread, i.guard).bit != 0) == i.guard_negated) continue;
      i.run(i, thread);
    } while (thread.state == Thread::State::ready);
    block_.memory->traffic.instructions += count;
  }

  const Entry& entry_;
  const cuda::Launch& launch_;
  Block block_;
  std::vector<Slot> slots_;
  std::vector<Thread> threads_;
};

}  // namespace

void run(const Entry& entry, const cuda::Launch& launch, const void* kernel, std::size_t bytes, Memory& memory) {
  Run(entry, launch, kernel, bytes, memory).all_blocks();
}

}  // namespace recal::testing::ptx
