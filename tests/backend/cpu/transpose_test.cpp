// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/transpose.hpp>

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
