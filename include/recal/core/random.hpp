// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace recal {

/// The step between the counters that random_mix is given.
inline constexpr std::uint64_t random_step = 0x9E3779B97F4A7C15U;

/// 64 bits, well mixed: the finaliser of SplitMix64.
/// source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014
[[nodiscard]] constexpr std::uint64_t random_mix(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

/// Number `index` of the stream `seed`: 64 well-mixed bits, a pure function of both, the same on
/// every platform and in any order of asking.
[[nodiscard]] constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t index) noexcept {
  return random_mix(seed + (index + 1) * random_step);
}

/// The same, spread evenly over [0, 1).
[[nodiscard]] constexpr double random_unit(std::uint64_t seed, std::uint64_t index) noexcept {
  return static_cast<double>(random_bits(seed, index) >> 11U) * 0x1p-53;
}

}  // namespace recal
