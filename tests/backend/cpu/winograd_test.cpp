// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/winograd.hpp>

#include <cmath>
#include <type_traits>

#include <doctest/doctest.h>

#include <recal/core/buffer.hpp>

#include "tests/support/random_tensor.hpp"

using recal::at;
using recal::Index;
namespace winograd = recal::cpu::winograd;

namespace {

/// Of sums of up to 16 products of two numbers up to 9.
template <class W>
constexpr double bound = std::is_same_v<W, winograd::Tile2x2> ? 0.0 : 1e-11;

/// Small whole numbers: all that is computed of them is exact while factors are.
template <Index Count>
winograd::Row<double, Count> whole_numbers(std::string_view name, std::uint64_t seed) {
  winograd::Row<double, Count> numbers{};
  for (Index i = 0; i < Count; ++i)
    at(numbers, i) =
        static_cast<double>(recal::testing::random_index(name, seed * 100 + static_cast<std::uint64_t>(i), -9, 9));
  return numbers;
}

}  // namespace

TEST_CASE_TEMPLATE("a tile's outputs are those of the window, and exactly so where the matrices are", W,
                   winograd::Tile2x2, winograd::Tile4x4) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto pixels = whole_numbers<W::points>("pixels", seed);
    const auto taps = whole_numbers<9>("taps", seed);
    const auto from_pixels = winograd::along_both<W::side, W::side>(pixels, typename W::FromInput{});
    const auto from_taps = winograd::along_both<3, W::side>(taps, typename W::FromWeight{});
    winograd::Row<double, W::points> products{};
    for (Index p = 0; p < W::points; ++p) at(products, p) = at(from_pixels, p) * at(from_taps, p);
    const auto y = winograd::along_both<W::side, W::outputs>(products, typename W::ToOutput{});
    for (Index i = 0; i < W::outputs * W::outputs; ++i) {
      double expected = 0;
      for (Index tap = 0; tap < 9; ++tap)
        expected += at(taps, tap) * at(pixels, (i / W::outputs + tap / 3) * W::side + i % W::outputs + tap % 3);
      CHECK(std::abs(at(y, i) - expected) <= bound<W>);
    }
  }
}

TEST_CASE_TEMPLATE("the gradient of a tile's taps is that of the window, and exactly so where the matrices are", W,
                   winograd::Tile2x2, winograd::Tile4x4) {
  constexpr Index outputs = W::outputs * W::outputs;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto pixels = whole_numbers<W::points>("pixels", seed);
    const auto dy = whole_numbers<outputs>("dy", seed);
    const auto from_pixels = winograd::along_both<W::side, W::side>(pixels, typename W::FromInput{});
    const auto from_dy = winograd::along_both<W::outputs, W::side>(dy, typename W::FromGradient{});
    winograd::Row<double, W::points> products{};
    for (Index p = 0; p < W::points; ++p) at(products, p) = at(from_pixels, p) * at(from_dy, p);
    const auto dw = winograd::along_both<W::side, 3>(products, typename W::ToWeight{});
    for (Index tap = 0; tap < 9; ++tap) {
      double expected = 0;
      for (Index i = 0; i < outputs; ++i)
        expected += at(dy, i) * at(pixels, (i / W::outputs + tap / 3) * W::side + i % W::outputs + tap % 3);
      CHECK(std::abs(at(dw, tap) - expected) <= bound<W>);
    }
  }
}
