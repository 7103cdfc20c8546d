// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <numbers>

#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/unrolled.hpp>

/// Convolutions with a 3x3 kernel and stride 1 by Winograd's minimal filtering F(m x m, 3x3): a tile of m x m pixels of
/// y sees (m + 2) x (m + 2) pixels of x, and
///   y = A' [(G w G') * (B' x B)] A,   * number by number,
/// which multiplies (m + 2)^2 times where the sum over the window does 9 m^2 times. Summed over input channels the
/// products are matrix products, one a *point* of the tile.
/// source: Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.1
namespace recal::cpu::winograd {

/// Taps of the kernel along an axis.
inline constexpr Index taps = 3;

template <class A, Index Count>
using Row = std::array<A, static_cast<std::size_t>(Count)>;

/// Pixels of y that a tile has along an axis; its points along an axis and in all; how many tiles cover so many pixels
/// along an axis.
template <Index Outputs>
struct TileSizes {
  static constexpr Index outputs = Outputs;
  static constexpr Index side = Outputs + taps - 1;
  static constexpr Index points = side * side;

  [[nodiscard]] static constexpr Index covering(Index pixels) { return (pixels + outputs - 1) / outputs; }
};

/// F(2x2, 3x3): 16 products for 4 pixels. The matrices hold 0, 1, -1 and 1/2 only, so that what is lost in rounding is
/// about what the plain sum loses.
struct Tile2x2 : TileSizes<2> {
  static constexpr Index task_pixels = 256;  ///< of y, about
  static constexpr Index depth = 128;        ///< channels that are summed up before they are added to what is there

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
};

/// F(4x4, 3x3): 36 products for 16 pixels. The polynomials are taken at 0, 1/r, -1/r, r, -r and infinity with r the
/// root of 2: of what 0, 1, -1, 2, -2 lose in rounding these lose a quarter. Most of that happens in the sums over
/// channels, so that these are short.
struct Tile4x4 : TileSizes<4> {
  static constexpr Index task_pixels = 512;
  static constexpr Index depth = 32;

  static constexpr double root = std::numbers::sqrt2;

  /// B'.
  struct FromInput {
    template <class A>
    [[gnu::always_inline]] Row<A, side> operator()(const Row<A, side>& d) const {
      const A inner_even = multiply_add(A(-2), d[2], d[4]);
      const A inner_odd = A(1 / root) * multiply_add(A(-2), d[1], d[3]);
      const A outer_even = multiply_add(A(-0.5), d[2], d[4]);
      const A outer_odd = A(root) * multiply_add(A(-0.5), d[1], d[3]);
      return {multiply_add(A(-2.5), d[2], d[0] + d[4]),
              inner_even + inner_odd,
              inner_even - inner_odd,
              outer_even + outer_odd,
              outer_even - outer_odd,
              multiply_add(A(-2.5), d[3], d[1] + d[5])};
    }
  };

  /// G.
  struct FromWeight {
    template <class A>
    [[gnu::always_inline]] Row<A, side> operator()(const Row<A, taps>& g) const {
      const A inner_even = A(-2.0 / 3) * multiply_add(A(0.5), g[2], g[0]);
      const A inner_odd = A(-2.0 / 3 / root) * g[1];
      const A outer_even = A(1.0 / 6) * multiply_add(A(2), g[2], g[0]);
      const A outer_odd = A(root / 6) * g[1];
      return {g[0], inner_even + inner_odd, inner_even - inner_odd, outer_even + outer_odd, outer_even - outer_odd,
              g[2]};
    }
  };

  /// A'.
  struct ToOutput {
    template <class A>
    [[gnu::always_inline]] Row<A, outputs> operator()(const Row<A, side>& m) const {
      const A inner_even = m[1] + m[2];
      const A inner_odd = m[1] - m[2];
      const A outer_even = m[3] + m[4];
      const A outer_odd = m[3] - m[4];
      return {m[0] + (inner_even + outer_even), A(1 / root) * multiply_add(A(2), outer_odd, inner_odd),
              multiply_add(A(2), outer_even, A(0.5) * inner_even),
              multiply_add(A(1 / root), multiply_add(A(4), outer_odd, A(0.5) * inner_odd), m[5])};
    }
  };

  /// A.
  struct FromGradient {
    template <class A>
    [[gnu::always_inline]] Row<A, side> operator()(const Row<A, outputs>& dy) const {
      const A inner_even = multiply_add(A(0.5), dy[2], dy[0]);
      const A inner_odd = A(1 / root) * multiply_add(A(0.5), dy[3], dy[1]);
      const A outer_even = multiply_add(A(2), dy[2], dy[0]);
      const A outer_odd = A(root) * multiply_add(A(2), dy[3], dy[1]);
      return {dy[0], inner_even + inner_odd, inner_even - inner_odd, outer_even + outer_odd, outer_even - outer_odd,
              dy[3]};
    }
  };

  /// G'.
  struct ToWeight {
    template <class A>
    [[gnu::always_inline]] Row<A, taps> operator()(const Row<A, side>& m) const {
      const A inner_even = A(-2.0 / 3) * (m[1] + m[2]);
      const A inner_odd = m[1] - m[2];
      const A outer_even = A(1.0 / 6) * (m[3] + m[4]);
      const A outer_odd = m[3] - m[4];
      return {m[0] + (inner_even + outer_even), multiply_add(A(-2.0 / 3 / root), inner_odd, A(root / 6) * outer_odd),
              multiply_add(A(0.5), inner_even, multiply_add(A(2), outer_even, m[5]))};
    }
  };
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
