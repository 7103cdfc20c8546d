// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/transpose.hpp>
#include <recal/backend/matrix.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/parallel.hpp>

namespace recal {

namespace cpu::detail {

/// Rows [first, first + depth) of b, columns [column, column + count), as one panel; the rest of it is zeros.
template <class T>
void pack_panel(const MatrixView<const T>& b, Index first, Index depth, Index column, Index count, T* panel) {
  constexpr Index width = Block<T>::columns;
  const T* from = &b(first, column);
  if (count < width) std::fill_n(panel, depth * width, T{});
  if (b.column_stride == 1) {
    for (Index k = 0; k < depth; ++k) std::copy_n(from + k * b.row_stride, count, panel + k * width);
  } else if (b.row_stride == 1) {
    transpose(from, count, depth, b.column_stride, panel, width);
  } else {
    for (Index k = 0; k < depth; ++k)
      for (Index j = 0; j < count; ++j) panel[k * width + j] = from[k * b.row_stride + j * b.column_stride];
  }
}

/// Rows [row, row_end) of one panel's columns of C.
template <class T>
void multiply_panel(const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c, Index row,
                    Index row_end, Index column, bool add) {
  using B = Block<T>;
  thread_local Buffer<T> panel;
  thread_local std::vector<Index> offsets;
  resize(panel, B::depth * B::columns);
  offsets.clear();
  for (Index k = 0; k < std::min(B::depth, a.columns); ++k) offsets.push_back(k * a.column_stride);
  const Index count = std::min(B::columns, c.columns - column);
  for (Index k = 0; k < a.columns; k += B::depth) {
    const Index depth = std::min(B::depth, a.columns - k);
    pack_panel(b, k, depth, column, count, panel.data());
    for_each_block<B>(row_end - row, [&](Index first, Index rows) {
      multiply_block<B>(rows, count, depth, Left<T>{&a(row + first, k), offsets.data(), a.row_stride},
                        Right<T>{panel.data(), B::columns}, &c(row + first, column), c.row_stride, add || k > 0);
    });
  }
}

}  // namespace cpu::detail

/// C = (add ? C : 0) + A B.
///   A [M, K], B [K, N], C [M, N] with any strides; fastest where the rows or the columns of C are dense
/// requires: A is M x K, B is K x N; C overlaps neither A nor B
template <class T>
void gemm(const Cpu& cpu, const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c,
          bool add) {
  if (c.rows == 0 || c.columns == 0) return;
  if (c.column_stride != 1) {
    if (c.row_stride == 1) return gemm(cpu, b.transposed(), a.transposed(), c.transposed(), add);
    Buffer<T> dense(static_cast<std::size_t>(c.rows * c.columns), T{});
    const MatrixView<T> product = row_major(dense.data(), c.rows, c.columns);
    gemm(cpu, a, b, product, false);
    for (Index i = 0; i < c.rows; ++i)
      for (Index j = 0; j < c.columns; ++j) c(i, j) = add ? c(i, j) + product(i, j) : product(i, j);
    return;
  }
  if (a.columns == 0) {
    if (!add)
      for (Index i = 0; i < c.rows; ++i) std::fill_n(&c(i, 0), c.columns, T{});
    return;
  }
  constexpr Index panel = cpu::Block<T>::columns;
  constexpr Index piece_rows = 96;
  const Index panels = (c.columns + panel - 1) / panel;
  const Index pieces = (c.rows + piece_rows - 1) / piece_rows;
  const Index piece_work = std::min(c.rows, piece_rows) * std::min(c.columns, panel) * a.columns;
  parallel_for(panels * pieces, 1 + 65536 / piece_work, [&](Index index) {
    const Index row = index / panels * piece_rows;
    cpu::detail::multiply_panel(a, b, c, row, std::min(c.rows, row + piece_rows), index % panels * panel, add);
  });
}

}  // namespace recal
