// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/transpose.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <recal/core/buffer.hpp>

using namespace recal;

TEST_CASE_TEMPLATE("transpose turns every size and touches nothing else", T, float, double) {
  for (const Index rows : {1, 2, 15, 16, 17, 33})
    for (const Index columns : {1, 3, 8, 16, 31, 48}) {
      const Index from_stride = columns + 2;
      const Index to_stride = rows + 1;
      Buffer<T> from(static_cast<std::size_t>(rows * from_stride));
      for (Index i = 0; i < rows * from_stride; ++i) at(from, i) = static_cast<T>(i);
      Buffer<T> to(static_cast<std::size_t>((columns + 1) * to_stride), T{-1});
      cpu::transpose(from.data(), rows, columns, from_stride, to.data(), to_stride);
      Index wrong = 0;
      for (Index j = 0; j <= columns; ++j)
        for (Index i = 0; i < to_stride; ++i) {
          const T expected = i < rows && j < columns ? static_cast<T>(i * from_stride + j) : T{-1};
          wrong += at(to, j * to_stride + i) != expected;
        }
      CAPTURE(rows);
      CAPTURE(columns);
      CHECK(wrong == 0);
    }
}

TEST_CASE_TEMPLATE("transpose maps every row as its channel's start says", T, float, double) {
  for (const Index rows : {1, 8, 19})
    for (const Index columns : {1, 8, 21}) {
      Buffer<T> from(static_cast<std::size_t>(rows * columns));
      Buffer<T> scale(static_cast<std::size_t>(rows));
      for (Index i = 0; i < rows * columns; ++i) at(from, i) = static_cast<T>(i);
      for (Index i = 0; i < rows; ++i) at(scale, i) = static_cast<T>(i % 3 - 1);
      const Buffer<T> centre(scale.size(), T{5});
      const Buffer<T> shift(scale.size(), T{2});
      Buffer<T> to(from.size());
      cpu::transpose(from.data(), rows, columns, columns, to.data(), rows,
                     ConvStart<T>{scale.data(), centre.data(), shift.data()});
      Index wrong = 0;
      for (Index j = 0; j < columns; ++j)
        for (Index i = 0; i < rows; ++i)
          wrong +=
              at(to, j * rows + i) != std::max(T{0}, at(scale, i) * (static_cast<T>(i * columns + j) - T{5}) + T{2});
      CHECK(wrong == 0);
    }
}
