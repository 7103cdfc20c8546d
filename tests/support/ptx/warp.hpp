// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/support/ptx/instruction.hpp"

namespace recal::testing::ptx {

/// Up to 32 threads, and what they do together.
class Warp {
 public:
  explicit Warp(std::span<Thread> lanes) : lanes_(lanes) {}

  /// Performs every collective at which all of its lanes have arrived. Whether there was one.
  bool meet() {
    bool any = false;
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      if (lanes_[lane].state != Thread::State::in_collective || !complete(lane)) continue;
      perform(*lanes_[lane].at, mask_of(lane));
      any = true;
    }
    return any;
  }

  /// errors: a lane that waits for others that cannot come
  void check_none_waits() const {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane)
      if (lanes_[lane].state == Thread::State::in_collective)
        fault(*lanes_[lane].at, lanes_[lane], "not all lanes of mask ", mask_of(lane), " arrive here");
  }

 private:
  [[nodiscard]] std::uint32_t mask_of(std::size_t lane) const {
    return get<std::uint32_t>(lanes_[lane], lanes_[lane].at->from[0]);
  }

  [[nodiscard]] bool complete(std::size_t lane) const {
    const std::uint32_t mask = mask_of(lane);
    const Thread& thread = lanes_[lane];
    if (((mask >> lane) & 1U) == 0) fault(*thread.at, thread, "the lane is not in its own mask ", mask);
    for (std::size_t other = 0; other < 32; ++other) {
      if (((mask >> other) & 1U) == 0) continue;
      if (other >= lanes_.size() || lanes_[other].state != Thread::State::in_collective) return false;
      if (lanes_[other].at != thread.at || mask_of(other) != mask) return false;
    }
    return true;
  }

  template <class F>
  void for_each_lane(std::uint32_t mask, const F& f) {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane)
      if (((mask >> lane) & 1U) != 0) f(lane, lanes_[lane]);
  }

  void perform(const Instruction& i, std::uint32_t mask) {
    if (i.collective >= Collective::shuffle_index && i.collective <= Collective::shuffle_butterfly)
      shuffle(i, mask);
    else if (i.collective >= Collective::vote_all && i.collective <= Collective::ballot)
      vote(i, mask);
    else if (i.collective == Collective::match_any)
      match(i, mask);
    else if (i.collective != Collective::sync)
      reduce(i, mask);
    for_each_lane(mask, [](std::size_t, Thread& thread) {
      thread.state = Thread::State::ready;
      ++thread.at;
    });
  }

  struct Source {
    std::uint32_t lane = 0;
    bool in_range = false;
  };
  /// As the PTX ISA defines shfl.sync.
  [[nodiscard]] static Source source_of(Collective mode, std::uint32_t lane, std::uint32_t b, std::uint32_t c) {
    const std::uint32_t by = b & 31U;
    const std::uint32_t clamp = c & 31U;
    const std::uint32_t segment = (c >> 8U) & 31U;
    const std::uint32_t most = (lane & segment) | (clamp & ~segment);
    const std::uint32_t least = lane & segment;
    switch (mode) {
      case Collective::shuffle_up:
        return {lane - by, static_cast<int>(lane - by) >= static_cast<int>(most)};
      case Collective::shuffle_down:
        return {lane + by, lane + by <= most};
      case Collective::shuffle_butterfly:
        return {lane ^ by, (lane ^ by) <= most};
      default:
        return {least | (by & ~segment), (least | (by & ~segment)) <= most};
    }
  }

  void shuffle(const Instruction& i, std::uint32_t mask) {
    std::array<std::uint32_t, 32> values{};
    for_each_lane(mask,
                  [&](std::size_t lane, Thread& thread) { values[lane] = get<std::uint32_t>(thread, i.from[1]); });
    for_each_lane(mask, [&](std::size_t lane, Thread& thread) {
      const auto own = static_cast<std::uint32_t>(lane);
      const auto [other, in_range] =
          source_of(i.collective, own, get<std::uint32_t>(thread, i.from[2]), get<std::uint32_t>(thread, i.from[3]));
      const std::uint32_t chosen = in_range ? other : own;
      if (((mask >> chosen) & 1U) == 0) fault(i, thread, "lane ", chosen, " is not in the mask ", mask);
      put(thread, i.to, values[chosen]);
      if (i.to_second != Instruction::nowhere) put(thread, i.to_second, Pred{in_range});
    });
  }

  void vote(const Instruction& i, std::uint32_t mask) {
    std::uint32_t ballot = 0;
    for_each_lane(mask, [&](std::size_t lane, Thread& thread) {
      if ((get<Pred>(thread, i.from[1]).bit != 0) != i.negated) ballot |= 1U << lane;
    });
    const bool result = i.collective == Collective::vote_all   ? ballot == mask
                        : i.collective == Collective::vote_any ? ballot != 0
                                                               : ballot == mask || ballot == 0;
    for_each_lane(mask, [&](std::size_t, Thread& thread) {
      i.collective == Collective::ballot ? put(thread, i.to, ballot) : put(thread, i.to, Pred{result});
    });
  }

  void match(const Instruction& i, std::uint32_t mask) {
    std::array<std::uint32_t, 32> same{};
    for_each_lane(mask, [&](std::size_t lane, Thread& one) {
      for_each_lane(mask, [&](std::size_t other, Thread& two) {
        if (get<std::uint32_t>(one, i.from[1]) == get<std::uint32_t>(two, i.from[1])) same[lane] |= 1U << other;
      });
    });
    for_each_lane(mask, [&](std::size_t lane, Thread& thread) { put(thread, i.to, same[lane]); });
  }

  /// negated: of signed numbers
  void reduce(const Instruction& i, std::uint32_t mask) {
    bool first = true;
    std::uint32_t result = 0;
    for_each_lane(mask, [&](std::size_t, Thread& thread) {
      const auto value = get<std::uint32_t>(thread, i.from[1]);
      result = first ? value : reduced(i, result, value);
      first = false;
    });
    for_each_lane(mask, [&](std::size_t, Thread& thread) { put(thread, i.to, result); });
  }
  [[nodiscard]] static std::uint32_t reduced(const Instruction& i, std::uint32_t a, std::uint32_t b) {
    const bool less = i.negated ? static_cast<std::int32_t>(a) < static_cast<std::int32_t>(b) : a < b;
    switch (i.collective) {
      case Collective::reduce_add:
        return a + b;
      case Collective::reduce_and:
        return a & b;
      case Collective::reduce_or:
        return a | b;
      case Collective::reduce_xor:
        return a ^ b;
      case Collective::reduce_min:
        return less ? a : b;
      default:
        return less ? b : a;
    }
  }

  std::span<Thread> lanes_;
};

}  // namespace recal::testing::ptx
