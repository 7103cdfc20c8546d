// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/winograd.hpp>

#include <doctest/doctest.h>

#include <recal/core/buffer.hpp>

#include "tests/support/random_tensor.hpp"

using recal::at;
using recal::Index;
namespace winograd = recal::cpu::winograd;

namespace {

/// Small whole numbers: all that is computed of them is exact.
template <Index Count>
winograd::Row<double, Count> whole_numbers(std::string_view name, std::uint64_t seed) {
  winograd::Row<double, Count> numbers{};
  for (Index i = 0; i < Count; ++i)
    at(numbers, i) =
        static_cast<double>(recal::testing::random_index(name, seed * 100 + static_cast<std::uint64_t>(i), -9, 9));
  return numbers;
}

}  // namespace

TEST_CASE("a tile's outputs are those of the window, exactly") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto pixels = whole_numbers<16>("pixels", seed);
    const auto taps = whole_numbers<9>("taps", seed);
    const auto from_pixels = winograd::along_both<4, 4>(pixels, winograd::FromInput{});
    const auto from_taps = winograd::along_both<3, 4>(taps, winograd::FromWeight{});
    winograd::Row<double, 16> products{};
    for (Index p = 0; p < 16; ++p) at(products, p) = at(from_pixels, p) * at(from_taps, p);
    const auto y = winograd::along_both<4, 2>(products, winograd::ToOutput{});
    for (Index i = 0; i < 4; ++i) {
      double expected = 0;
      for (Index tap = 0; tap < 9; ++tap)
        expected += at(taps, tap) * at(pixels, (i / 2 + tap / 3) * 4 + i % 2 + tap % 3);
      CHECK(at(y, i) == expected);
    }
  }
}

TEST_CASE("the gradient of a tile's taps is that of the window, exactly") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto pixels = whole_numbers<16>("pixels", seed);
    const auto dy = whole_numbers<4>("dy", seed);
    const auto from_pixels = winograd::along_both<4, 4>(pixels, winograd::FromInput{});
    const auto from_dy = winograd::along_both<2, 4>(dy, winograd::FromGradient{});
    winograd::Row<double, 16> products{};
    for (Index p = 0; p < 16; ++p) at(products, p) = at(from_pixels, p) * at(from_dy, p);
    const auto dw = winograd::along_both<4, 3>(products, winograd::ToWeight{});
    for (Index tap = 0; tap < 9; ++tap) {
      double expected = 0;
      for (Index i = 0; i < 4; ++i) expected += at(dy, i) * at(pixels, (i / 2 + tap / 3) * 4 + i % 2 + tap % 3);
      CHECK(at(dw, tap) == expected);
    }
  }
}
