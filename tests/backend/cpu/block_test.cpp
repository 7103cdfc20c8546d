// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/block.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/random_tensor.hpp"

using namespace recal;

TEST_CASE_TEMPLATE("multiply_block equals the sum it stands for and touches nothing else", T, float, double) {
  using B = cpu::Block<T>;
  constexpr Index depth = 37;
  constexpr Index c_stride = B::columns + 3;
  const auto left = recal::testing::random_tensor<T>("left", {1, 1, B::rows, depth});
  const auto turned = [&] {
    Tensor<T> t(Shape{1, 1, depth, B::rows});
    for (Index i = 0; i < B::rows; ++i)
      for (Index k = 0; k < depth; ++k) t(0, 0, k, i) = left(0, 0, i, k);
    return t;
  }();
  const auto panel = recal::testing::random_tensor<T>("panel", {1, 1, depth, B::columns});
  for (Index rows = 1; rows <= B::rows; ++rows)
    for (Index columns = 1; columns <= B::columns; ++columns)
      for (const bool add : {false, true}) {
        Buffer<T> c(static_cast<std::size_t>((B::rows + 1) * c_stride), T{2});
        if (add)
          cpu::multiply_block(rows, columns, depth, {left.data(), depth, 1}, panel.data(), c.data(), c_stride, true);
        else
          cpu::multiply_block(rows, columns, depth, {turned.data(), 1, B::rows}, panel.data(), c.data(), c_stride,
                              false);
        double worst = 0;
        for (Index i = 0; i <= B::rows; ++i)
          for (Index j = 0; j < c_stride; ++j) {
            double expected = 2;
            if (i < rows && j < columns) {
              expected = add ? 2 : 0;
              for (Index k = 0; k < depth; ++k)
                expected += static_cast<double>(left(0, 0, i, k)) * static_cast<double>(panel(0, 0, k, j));
            }
            const double error = std::abs(static_cast<double>(at(c, i * c_stride + j)) - expected);
            if (!(error <= worst)) worst = error;
          }
        CAPTURE(rows);
        CAPTURE(columns);
        CHECK(worst <= (std::is_same_v<T, float> ? 1e-5 : 1e-13));
      }
}
