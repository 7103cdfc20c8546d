// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <recal/core/shape.hpp>

namespace recal::testing {

/// Where the current launch, the current block and the current epoch began.
struct Now {
  std::uint32_t launch;
  std::uint32_t block;
  std::uint32_t epoch;
};

/// Counts epochs, the times between barriers, over all launches of a machine; none is 0.
class Clock {
 public:
  void begin_launch() {
    now_.launch = now_.epoch + 1;
    begun_.clear();
  }
  void begin_block(Index block) {
    now_.block = ++now_.epoch;
    begun_.push_back({now_.epoch, block});
  }
  void barrier() { ++now_.epoch; }

  [[nodiscard]] const Now& now() const { return now_; }

  /// The block of the current launch that ran at that time.
  [[nodiscard]] Index block_at(std::uint32_t epoch) const {
    const auto after = std::upper_bound(begun_.begin(), begun_.end(), epoch,
                                        [](std::uint32_t time, const Begin& begin) { return time < begin.epoch; });
    return after == begun_.begin() ? -1 : std::prev(after)->block;
  }

 private:
  struct Begin {
    std::uint32_t epoch;
    Index block;
  };

  Now now_{0, 0, 0};
  std::vector<Begin> begun_;
};

}  // namespace recal::testing
