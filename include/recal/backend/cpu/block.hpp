// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/unrolled.hpp>

/// The innermost step of every matrix product on the CPU: a block of C that stays in registers.
///
/// The right operand comes in *panels*: for each step of the depth, Block<T>::columns numbers in a
/// row. The left operand is read where it lies, with free strides. So what a convolution gathers
/// goes straight into the panel, and the weights are not copied at all.
namespace recal::cpu {

/// Sizes of the block: with AVX-512, 6 x 4 registers of sums, 4 of the panel, 1 of the left operand.
template <class T>
struct Block {
  using P = pack_for<T>;
  static constexpr int packs = register_bytes == 64 ? 4 : 2;
  static constexpr int rows = 6;
  static constexpr Index columns = Index{packs} * P::lanes;
  /// Steps of the depth that are multiplied in one go: a panel of that depth suits the second cache.
  static constexpr Index depth = 256;
  /// Columns of the panels that one task works on together.
  static constexpr Index tile_columns = 256;
};

/// The left operand: element (i, k) = data[i*row_stride + k*depth_stride].
template <class T>
struct Left {
  const T* data;
  Index row_stride;
  Index depth_stride;
};

namespace detail {

/// c[i][j] = (add ? c[i][j] : 0) + sum_k left(i, k) * panel[k][j]
template <int Rows, int Packs, class T>
void multiply(Index depth, Left<T> left, const T* panel, T* c, Index c_stride, bool add) {
  using P = pack_for<T>;
  std::array<std::array<P, Packs>, Rows> sums;
  unrolled<Rows>([&](auto i) { unrolled<Packs>([&](auto j) { sums[i][j] = P(T{}); }); });
  const T* a = left.data;
  for (Index k = 0; k < depth; ++k) {
    std::array<P, Packs> b;
    unrolled<Packs>([&](auto j) { b[j] = load<P>(panel + j * P::lanes); });
    unrolled<Rows>([&](auto i) {
      const P factor(a[i * left.row_stride]);
      unrolled<Packs>([&](auto j) { sums[i][j].v += factor.v * b[j].v; });  // one expression: Clang fuses no others
    });
    a += left.depth_stride;
    panel += Block<T>::columns;
  }
  unrolled<Rows>([&](auto i) {
    T* row = c + i * c_stride;
    if (add) unrolled<Packs>([&](auto j) { sums[i][j] += load<P>(row + j * P::lanes); });
    unrolled<Packs>([&](auto j) { store(row + j * P::lanes, sums[i][j]); });
  });
}

template <int Packs, class T>
void multiply_rows(Index rows, Index depth, Left<T> left, const T* panel, T* c, Index c_stride, bool add) {
  const auto go = [&](auto count) {
    multiply<count, Packs>(depth, left, panel, c, c_stride, add);
    left.data += count * left.row_stride;
    c += count * c_stride;
    rows -= count;
  };
  if (rows == 6) return multiply<6, Packs>(depth, left, panel, c, c_stride, add);
  if (rows >= 4) go(std::integral_constant<int, 4>{});
  if (rows >= 2) go(std::integral_constant<int, 2>{});
  if (rows >= 1) go(std::integral_constant<int, 1>{});
}

}  // namespace detail

/// C [rows, columns] = (or +=, with `add`) left [rows, depth] x panel [depth, Block<T>::columns],
/// of which the first `columns` count.
/// requires: rows <= Block<T>::rows, 1 <= columns <= Block<T>::columns; the panel is wholly readable
/// ensures: nothing outside [rows, columns] of C is touched
template <class T>
void multiply_block(Index rows, Index columns, Index depth, Left<T> left, const T* panel, T* c, Index c_stride,
                    bool add) {
  using B = Block<T>;
  if (columns == B::columns) return detail::multiply_rows<B::packs>(rows, depth, left, panel, c, c_stride, add);
  std::array<T, static_cast<std::size_t>(B::rows * B::columns)> whole;
  const Index packs = (columns + B::P::lanes - 1) / B::P::lanes;
  if (packs == 1)
    detail::multiply_rows<1>(rows, depth, left, panel, whole.data(), B::columns, false);
  else if (packs == 2)
    detail::multiply_rows<2>(rows, depth, left, panel, whole.data(), B::columns, false);
  else
    detail::multiply_rows<B::packs>(rows, depth, left, panel, whole.data(), B::columns, false);
  for (Index i = 0; i < rows; ++i) {
    const T* from = whole.data() + i * B::columns;
    T* to = c + i * c_stride;
    for (Index j = 0; j < columns; ++j) to[j] = add ? to[j] + from[j] : from[j];
  }
}

}  // namespace recal::cpu
