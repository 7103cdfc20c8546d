// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace recal {

/// Number `index` of the stream `seed`: 64 well-mixed bits, a pure function of both, the same on
/// every platform and in any order of asking.
/// source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014
[[nodiscard]] constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t index) noexcept {
  std::uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

/// The same, spread evenly over [0, 1).
[[nodiscard]] constexpr double random_unit(std::uint64_t seed, std::uint64_t index) noexcept {
  return static_cast<double>(random_bits(seed, index) >> 11U) * 0x1p-53;
}

}  // namespace recal
