// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/support/host_run/report.hpp"

namespace recal::testing {

/// Where a thread of a block stands.
enum class State { fresh, ready, barrier, shuffle, shuffle_down, finished };

struct Lane {
  State state = State::fresh;
  Place place{};
  std::uint64_t value = 0;   ///< given to the shuffle
  std::uint64_t result = 0;  ///< got from it
  int operand = 0;
  int bytes = 0;

  [[nodiscard]] bool shuffles() const { return state == State::shuffle || state == State::shuffle_down; }
  [[nodiscard]] bool waits() const { return state == State::barrier || shuffles(); }
  /// Whether both stand at the same call.
  [[nodiscard]] bool meets(const Lane& other) const {
    return state == other.state && bytes == other.bytes && (!waits() || place == other.place);
  }
};

[[nodiscard]] inline std::string text_of_lane(const Lane& lane) {
  switch (lane.state) {
    case State::barrier:
      return "waiting in barrier at " + to_string(lane.place);
    case State::shuffle:
      return text_of("waiting in shuffle of ", lane.bytes, " bytes at ", to_string(lane.place));
    case State::shuffle_down:
      return text_of("waiting in shuffle_down of ", lane.bytes, " bytes at ", to_string(lane.place));
    case State::finished:
      return "finished";
    default:
      return "not waiting";
  }
}

/// How many threads stand where, and the first of each; `first` is the number of the first of all.
[[nodiscard]] inline std::string text_of_lanes(std::span<const Lane> lanes, std::size_t first) {
  std::string text;
  std::vector<bool> told(lanes.size());
  for (std::size_t k = 0; k < lanes.size(); ++k) {
    if (told[k]) continue;
    int count = 0;
    for (std::size_t j = k; j < lanes.size(); ++j)
      if (lanes[j].meets(lanes[k])) {
        told[j] = true;
        ++count;
      }
    text += text_of(text.empty() ? "" : "; ", count, " ", text_of_lane(lanes[k]), " (first: thread ", first + k, ")");
  }
  return text;
}

}  // namespace recal::testing
