// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <utility>
#include <vector>

#include <recal/core/shape.hpp>

namespace animals {

using recal::Index;

/// What a stream of random numbers is for, so that no two uses share numbers.
enum class Purpose : std::uint64_t { split = 1, order = 2, augment = 3, show = 4, module = 5 };

/// Random numbers by counter: the k-th number is a hash of (seed, purpose, keys..., k) and of nothing else, so
/// that order and augmentation are the same whoever computes them, whenever.
/// The hash is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  Random(std::uint64_t seed, Purpose purpose, std::initializer_list<std::uint64_t> keys = {}) noexcept
      : key_(mix(seed + golden)) {
    key_ = mix(key_ ^ mix(static_cast<std::uint64_t>(purpose) + golden));
    for (const std::uint64_t key : keys) key_ = mix(key_ ^ mix(key + golden));
  }

  [[nodiscard]] std::uint64_t bits() noexcept { return mix(key_ + golden * ++count_); }

  /// In [0, 1), a multiple of 2^-53.
  [[nodiscard]] double uniform() noexcept { return static_cast<double>(bits() >> 11U) * 0x1p-53; }

  [[nodiscard]] double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }

  /// In [0, count). requires: 0 < count <= 2^32
  [[nodiscard]] Index below(Index count) noexcept {
    return static_cast<Index>((bits() >> 32U) * static_cast<std::uint64_t>(count) >> 32U);
  }

 private:
  static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15U;

  [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t z) noexcept {
    z = (z ^ z >> 30U) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27U) * 0x94d049bb133111ebU;
    return z ^ z >> 31U;
  }

  std::uint64_t key_;
  std::uint64_t count_ = 0;
};

/// Puts the items into a random order.
template <class Item>
void shuffle(std::vector<Item>& items, Random random) {
  for (std::size_t last = items.size(); last > 1; --last) {
    const auto other = static_cast<std::size_t>(random.below(static_cast<Index>(last)));
    std::swap(items[last - 1], items[other]);
  }
}

/// 0 ... count-1 in a random order.
[[nodiscard]] inline std::vector<Index> permutation(Index count, const Random& random) {
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), Index{0});
  shuffle(order, random);
  return order;
}

}  // namespace animals
