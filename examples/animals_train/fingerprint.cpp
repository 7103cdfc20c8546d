// SPDX-License-Identifier: Apache-2.0
#include "fingerprint.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <numeric>
#include <unordered_map>

#include "resize.hpp"

namespace animals {

namespace {

constexpr int most_steps_apart = 14;
constexpr int most_mean_difference = 10;

int brightness(const Image& image, Index x, Index y) {
  const std::uint8_t* p = image.pixel(x, y);
  return 299 * p[0] + 587 * p[1] + 114 * p[2];
}

/// Bit 8*y + x: whether the picture at 9x8 (or 8x9) gets brighter from (x, y) to its right (or lower) neighbour.
std::uint64_t brightness_steps(const Image& image, Index dx, Index dy) {
  const Image small = resized(image, 8 + dx, 8 + dy);
  std::uint64_t steps = 0;
  for (Index y = 0; y < 8; ++y)
    for (Index x = 0; x < 8; ++x)
      steps = steps << 1U | (brightness(small, x + dx, y + dy) > brightness(small, x, y) ? 1U : 0U);
  return steps;
}

/// Disjoint sets; the root of a set is its smallest member.
class Sets {
 public:
  explicit Sets(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }

  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }

  void join(std::size_t a, std::size_t b) {
    a = root(a);
    b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace

Fingerprint fingerprint(ByteSpan file, const Image& image) {
  Fingerprint print;
  print.content = content_hash(file);
  print.steps = {brightness_steps(image, 1, 0), brightness_steps(image, 0, 1)};
  const Image tiny = resized(image, 8, 8);
  std::copy(tiny.rgb.begin(), tiny.rgb.end(), print.tiny.begin());
  return print;
}

bool look_alike(const Fingerprint& a, const Fingerprint& b) noexcept {
  const int apart = std::popcount(a.steps[0] ^ b.steps[0]) + std::popcount(a.steps[1] ^ b.steps[1]);
  if (apart > most_steps_apart) return false;
  int difference = 0;
  for (std::size_t i = 0; i < a.tiny.size(); ++i) difference += std::abs(int{a.tiny[i]} - int{b.tiny[i]});
  return difference <= most_mean_difference * static_cast<int>(a.tiny.size());
}

Groups group_copies(const std::vector<Fingerprint>& prints) {
  Groups groups;
  Sets sets(prints.size());
  std::unordered_map<std::uint64_t, std::size_t> by_content;
  std::vector<std::size_t> distinct;
  for (std::size_t i = 0; i < prints.size(); ++i) {
    const auto [first, is_new] = by_content.emplace(prints[i].content, i);
    if (is_new) {
      distinct.push_back(i);
    } else {
      sets.join(first->second, i);
      ++groups.exact_copies;
    }
  }
  for (std::size_t b = 0; b < distinct.size(); ++b) {
    bool alike = false;
    for (std::size_t a = 0; a < b; ++a) {
      if (!look_alike(prints[distinct[a]], prints[distinct[b]])) continue;
      sets.join(distinct[a], distinct[b]);
      alike = true;
    }
    if (alike) ++groups.near_copies;
  }
  std::unordered_map<std::size_t, Index> number;
  for (std::size_t i = 0; i < prints.size(); ++i)
    groups.of.push_back(number.emplace(sets.root(i), static_cast<Index>(number.size())).first->second);
  groups.count = static_cast<Index>(number.size());
  return groups;
}

}  // namespace animals
