// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/unrolled.hpp>

/// The innermost step of every matrix product on the CPU: a block of C that stays in registers.
///
/// Rows of the right operand are read by registers; in a *panel* they lie next to each other. The left operand is read
/// number by number where it lies, each number for a whole row of the right one. So pixels of an image are a left
/// operand as they are, and nothing is gathered for a convolution but what its padding needs.
namespace recal::cpu {

/// The sizes of a block: Rows x Packs registers of sums, beside a row of the right operand and one number of the left.
template <class T, int Rows, int Packs>
struct BlockShape {
  using P = pack_for<T>;
  static constexpr int rows = Rows;
  static constexpr int packs = Packs;
  static constexpr Index columns = Index{packs} * P::lanes;

  /// The columns that are multiplied where `wanted` are: those of one register, of half of them or of all.
  [[nodiscard]] static constexpr Index columns_for(Index wanted) {
    if (wanted <= P::lanes) return P::lanes;
    return wanted <= columns / 2 ? columns / 2 : columns;
  }
};

/// Few columns, so that a panel of `depth` steps stays in the first cache beside what it is multiplied with: for right
/// operands that many rows share.
template <class T>
struct Block : BlockShape<T, register_bytes == 64 ? 14 : 6, 2> {
  /// Steps of the depth that are multiplied in one go.
  static constexpr Index depth = 128;
};

/// Many columns, so that each number of the left operand is read seldom, and few rows: for left operands that lie
/// apart.
template <class T>
struct WideBlock : BlockShape<T, 6, register_bytes == 64 ? 4 : 2> {
  static constexpr Index depth = 256;
};

/// Rows of the left operand that lie next to each other.
using Adjacent = std::integral_constant<Index, 1>;

/// The left operand: element (i, k) = data[i*step + offsets[k]]. Step is Adjacent or Index.
template <class T, class Step = Index>
struct Left {
  const T* data;
  const Index* offsets;
  Step step;
};

/// The right operand: row k of Block<T>::columns numbers begins at data[k*step].
template <class T>
struct Right {
  const T* data;
  Index step;  ///< its columns, in a panel
};

namespace detail {

/// c[i][j] = (add ? c[i][j] : 0) + sum_k left(i, k) * right[k][j]
template <int Rows, int Packs, class T, class Step>
[[gnu::noinline]] void multiply(Index depth, Left<T, Step> left, Right<T> right, T* c, Index c_stride, bool add) {
  using P = pack_for<T>;
  std::array<std::array<P, Packs>, Rows> sums;
  unrolled<Rows>([&](auto i) { unrolled<Packs>([&](auto j) { sums[i][j] = P(T{}); }); });
  for (Index k = 0; k < depth; ++k) {
    std::array<P, Packs> b;
    unrolled<Packs>([&](auto j) { b[j] = load<P>(right.data + j * P::lanes); });
    const T* a = left.data + left.offsets[k];
    unrolled<Rows>([&](auto i) {
      const P factor(a[i * left.step]);
      unrolled<Packs>([&](auto j) { sums[i][j].v += factor.v * b[j].v; });  // one expression: Clang fuses no others
    });
    right.data += right.step;
  }
  unrolled<Rows>([&](auto i) {
    T* row = c + i * c_stride;
    if (add) unrolled<Packs>([&](auto j) { sums[i][j] += load<P>(row + j * P::lanes); });
    unrolled<Packs>([&](auto j) { store(row + j * P::lanes, sums[i][j]); });
  });
}

template <class B, int Packs, class T, class Step>
void multiply_packs(Index rows, Index depth, const Left<T, Step>& left, const Right<T>& right, T* c, Index c_stride,
                    bool add) {
  unrolled<B::rows>([&](auto i) {
    if (rows == i + 1) multiply<i + 1, Packs>(depth, left, right, c, c_stride, add);
  });
}

/// The block's first columns, as many as columns_for() gives.
template <class B, class T, class Step>
void multiply_held(Index rows, Index columns, Index depth, const Left<T, Step>& left, const Right<T>& right, T* c,
                   Index c_stride, bool add) {
  if (columns == B::columns)
    multiply_packs<B, B::packs>(rows, depth, left, right, c, c_stride, add);
  else if (columns == B::P::lanes)
    multiply_packs<B, 1>(rows, depth, left, right, c, c_stride, add);
  else
    multiply_packs<B, B::packs / 2>(rows, depth, left, right, c, c_stride, add);
}

}  // namespace detail

/// C [rows, columns] = (or +=, with `add`) left [rows, depth] x right [depth, columns], as one block B.
/// requires: rows <= B::rows, 1 <= columns <= B::columns; rows of the right operand are readable up to B::columns
/// ensures: nothing outside [rows, columns] of C is touched
template <class B, class T, class Step>
void multiply_block(Index rows, Index columns, Index depth, const Left<T, Step>& left, const Right<T>& right, T* c,
                    Index c_stride, bool add) {
  const Index held = B::columns_for(columns);
  if (columns == held) return detail::multiply_held<B>(rows, held, depth, left, right, c, c_stride, add);
  std::array<T, static_cast<std::size_t>(B::rows * B::columns)> whole;
  detail::multiply_held<B>(rows, held, depth, left, right, whole.data(), B::columns, false);
  for (Index i = 0; i < rows; ++i) {
    const T* from = whole.data() + i * B::columns;
    T* to = c + i * c_stride;
    for (Index j = 0; j < columns; ++j) to[j] = add ? to[j] + from[j] : from[j];
  }
}

/// f(first, rows) on pieces of `all` rows that a block B can hold, as equal as they can be.
template <class B, class F>
void for_each_block(Index all, const F& f) {
  const Index pieces = (all + B::rows - 1) / B::rows;
  for (Index piece = 0; piece < pieces; ++piece) {
    const Index first = all * piece / pieces;
    f(first, all * (piece + 1) / pieces - first);
  }
}

}  // namespace recal::cpu
