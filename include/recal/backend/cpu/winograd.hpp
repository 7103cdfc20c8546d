// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include <recal/core/shape.hpp>
#include <recal/core/unrolled.hpp>

/// Convolutions with a 3x3 kernel and stride 1 by Winograd's minimal filtering F(2x2, 3x3): a tile of 2x2 pixels of y
/// sees 4x4 pixels of x, and
///   y = A' [(G w G') * (B' x B)] A,   * number by number,
/// which multiplies 16 times where the sum over the window does 36 times. Summed over input channels the products are
/// 16 matrix products, one a *point* of the tile. The matrices hold 0, 1, -1 and 1/2 only, so that what is lost in
/// rounding is about what the plain sum loses. source: Lavin, Gray, "Fast Algorithms for Convolutional Neural
/// Networks", CVPR 2016, section 4.1
namespace recal::cpu::winograd {

/// Points of a tile along an axis and in all; pixels of y along an axis; taps along an axis.
inline constexpr Index side = 4;
inline constexpr Index points = side * side;
inline constexpr Index outputs = 2;
inline constexpr Index taps = 3;

template <class A, Index Count>
using Row = std::array<A, static_cast<std::size_t>(Count)>;

/// B' along one axis: from pixels of x to points.
struct FromInput {
  template <class A>
  [[gnu::always_inline]] Row<A, side> operator()(const Row<A, side>& d) const {
    return {d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]};
  }
};

/// G: from taps of the kernel to points.
struct FromWeight {
  template <class A>
  [[gnu::always_inline]] Row<A, side> operator()(const Row<A, taps>& g) const {
    const A half(0.5F);
    const A even = (g[0] + g[2]) * half;
    const A odd = g[1] * half;
    return {g[0], even + odd, even - odd, g[2]};
  }
};

/// A': from points to pixels of y.
struct ToOutput {
  template <class A>
  [[gnu::always_inline]] Row<A, outputs> operator()(const Row<A, side>& m) const {
    return {m[0] + (m[1] + m[2]), (m[1] - m[2]) - m[3]};
  }
};

/// A: from gradients of pixels of y to points.
struct FromGradient {
  template <class A>
  [[gnu::always_inline]] Row<A, side> operator()(const Row<A, outputs>& dy) const {
    return {dy[0], dy[0] + dy[1], dy[0] - dy[1], -dy[1]};
  }
};

/// G': from points to gradients of taps.
struct ToWeight {
  template <class A>
  [[gnu::always_inline]] Row<A, taps> operator()(const Row<A, side>& m) const {
    const A half(0.5F);
    const A even = (m[1] + m[2]) * half;
    return {m[0] + even, (m[1] - m[2]) * half, even + m[3]};
  }
};

/// f along both axes: `from` has In x In numbers row by row, the result Out x Out.
template <Index In, Index Out, class A, class F>
[[nodiscard, gnu::always_inline]] inline Row<A, Out * Out> along_both(const Row<A, In * In>& from, const F& f) {
  constexpr int in = static_cast<int>(In);
  constexpr int out = static_cast<int>(Out);
  Row<A, In * Out> half;
  unrolled<in>([&](auto i) {
    Row<A, In> row;
    unrolled<in>([&](auto j) { row[j] = from[i * in + j]; });
    const Row<A, Out> made = f(row);
    unrolled<out>([&](auto j) { half[i * out + j] = made[j]; });
  });
  Row<A, Out * Out> whole;
  unrolled<out>([&](auto j) {
    Row<A, In> column;
    unrolled<in>([&](auto i) { column[i] = half[i * out + j]; });
    const Row<A, Out> made = f(column);
    unrolled<out>([&](auto i) { whole[i * out + j] = made[i]; });
  });
  return whole;
}

}  // namespace recal::cpu::winograd
