// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <utility>
#include <vector>

#include <recal/core/random.hpp>
#include <recal/core/shape.hpp>

namespace animals {

using recal::Index;

/// What a stream of random numbers is for, so that no two uses share numbers.
enum class Purpose : std::uint64_t { split = 1, order = 2, augment = 3, show = 4, module = 5 };

/// Random numbers by counter: the k-th number is a hash of (seed, purpose, keys..., k) and of nothing else, so
/// that order and augmentation are the same whoever computes them, whenever.
class Random {
 public:
  Random(std::uint64_t seed, Purpose purpose, std::initializer_list<std::uint64_t> keys = {}) noexcept
      : key_(recal::random_bits(seed, 0)) {
    add(static_cast<std::uint64_t>(purpose));
    for (const std::uint64_t key : keys) add(key);
  }

  [[nodiscard]] std::uint64_t bits() noexcept { return recal::random_bits(key_, count_++); }

  /// In [0, 1), a multiple of 2^-53.
  [[nodiscard]] double uniform() noexcept { return recal::random_unit(key_, count_++); }

  [[nodiscard]] double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }

  /// In [0, count). requires: 0 < count <= 2^32
  [[nodiscard]] Index below(Index count) noexcept {
    return static_cast<Index>((bits() >> 32U) * static_cast<std::uint64_t>(count) >> 32U);
  }

 private:
  void add(std::uint64_t key) noexcept { key_ = recal::random_mix(key_ ^ recal::random_bits(key, 0)); }

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
