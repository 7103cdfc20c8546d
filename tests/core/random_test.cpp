// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>

#include <doctest/doctest.h>

#include <recal/core/random.hpp>

using recal::random_bits;
using recal::random_unit;

// The published outputs of SplitMix64 for the seeds 0 and 1234567.
static_assert(random_bits(0, 0) == 0xe220a8397b1dcdafU);
static_assert(random_bits(0, 1) == 0x6e789e6aa1b965f4U);
static_assert(random_bits(0, 2) == 0x06c45d188009454fU);
static_assert(random_bits(1234567, 0) == 6457827717110365317U);
static_assert(random_bits(1234567, 1) == 3203168211198807973U);
static_assert(random_bits(1234567, 4) == 16408922859458223821U);
static_assert(random_bits(~std::uint64_t{0}, ~std::uint64_t{0}) != random_bits(0, 0));

TEST_CASE("units lie in [0, 1) and are spread evenly") {
  constexpr int count = 100000;
  double sum = 0;
  double squares = 0;
  double least = 1;
  double most = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double u = random_unit(3, i);
    sum += u;
    squares += (u - 0.5) * (u - 0.5);
    least = std::min(least, u);
    most = std::max(most, u);
  }
  CHECK(least >= 0);
  CHECK(most < 1);
  CHECK(std::abs(sum / count - 0.5) < 0.005);
  CHECK(std::abs(squares / count - 1.0 / 12) < 0.002);
}

TEST_CASE("neighbouring seeds and indices have nothing in common") {
  double along_index = 0;
  double along_seed = 0;
  constexpr int count = 100000;
  for (std::uint64_t i = 0; i < count; ++i) {
    along_index += (random_unit(9, i) - 0.5) * (random_unit(9, i + 1) - 0.5);
    along_seed += (random_unit(i, 5) - 0.5) * (random_unit(i + 1, 5) - 0.5);
  }
  CHECK(std::abs(along_index / count) < 0.002);
  CHECK(std::abs(along_seed / count) < 0.002);
}
