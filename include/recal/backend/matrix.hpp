// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/shape.hpp>

namespace recal {

/// A window on a matrix that someone else owns: element (i, j) = data[i*row_stride + j*column_stride].
template <class T>
struct MatrixView {
  T* data = nullptr;
  Index rows = 0;
  Index columns = 0;
  Index row_stride = 0;
  Index column_stride = 1;

  [[nodiscard]] constexpr T& operator()(Index i, Index j) const noexcept {
    return data[i * row_stride + j * column_stride];
  }

  [[nodiscard]] constexpr MatrixView transposed() const noexcept {
    return {data, columns, rows, column_stride, row_stride};
  }
};

/// A row-major matrix without gaps.
template <class T>
[[nodiscard]] constexpr MatrixView<T> row_major(T* data, Index rows, Index columns) noexcept {
  return {data, rows, columns, columns, 1};
}

}  // namespace recal
