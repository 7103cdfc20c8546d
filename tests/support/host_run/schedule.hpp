// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <recal/core/shape.hpp>

namespace recal::testing {

/// In which order blocks, and threads between two waits, get their turn.
class Schedule {
 public:
  [[nodiscard]] static Schedule forward() { return {Kind::forward, 0}; }
  [[nodiscard]] static Schedule reverse() { return {Kind::reverse, 0}; }
  /// A new permutation each time.
  [[nodiscard]] static Schedule random(std::uint64_t seed) { return {Kind::random, seed}; }

  /// ensures: `order` is a permutation of 0, ..., order.size() - 1
  template <class Number>
  void arrange(std::vector<Number>& order) {
    std::iota(order.begin(), order.end(), Number{0});
    if (kind_ == Kind::reverse) std::reverse(order.begin(), order.end());
    if (kind_ != Kind::random) return;
    for (std::size_t k = order.size(); k > 1; --k) std::swap(order[k - 1], order[below(k)]);
  }

  friend std::string to_string(const Schedule& schedule) {
    switch (schedule.kind_) {
      case Kind::forward:
        return "forward";
      case Kind::reverse:
        return "reverse";
      default:
        return "random " + std::to_string(schedule.seed_);
    }
  }

 private:
  enum class Kind { forward, reverse, random };

  Schedule(Kind kind, std::uint64_t seed) : kind_(kind), seed_(seed), state_(seed) {}

  /// A number below `end`, from splitmix64.
  [[nodiscard]] std::size_t below(std::size_t end) {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>((z >> 32U) * end >> 32U);
  }

  Kind kind_;
  std::uint64_t seed_;
  std::uint64_t state_;
};

}  // namespace recal::testing
