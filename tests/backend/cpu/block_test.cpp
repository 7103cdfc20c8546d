// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/block.hpp>

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/random_tensor.hpp"

using namespace recal;

namespace {

constexpr Index block_depth = 37;

/// A left operand whose rows are `step` apart, at offsets that no stride describes.
template <class T>
struct ScatteredLeft {
  Index step;
  std::vector<Index> offsets;
  Tensor<T> memory;

  ScatteredLeft(Index rows, Index between) : step(between) {
    for (Index k = 0; k < block_depth; ++k) offsets.push_back(k * k % 101 + k);
    memory = recal::testing::random_tensor<T>("left", {1, 1, 1, rows * step + 200});
  }

  [[nodiscard]] double operator()(Index i, Index k) const {
    return static_cast<double>(memory.data()[i * step + at(offsets, k)]);
  }
};

/// The largest error of one product, or of what is beside it; `go` calls multiply_block() on C.
template <class B, class T, class Go>
double block_error(const ScatteredLeft<T>& left, const Tensor<T>& right, Index rows, Index columns, bool add,
                   const Go& go) {
  constexpr Index c_stride = B::columns + 3;
  Buffer<T> c(static_cast<std::size_t>((B::rows + 1) * c_stride), T{2});
  go(c.data(), c_stride);
  double worst = 0;
  for (Index i = 0; i <= B::rows; ++i)
    for (Index j = 0; j < c_stride; ++j) {
      double expected = 2;
      if (i < rows && j < columns) {
        expected = add ? 2 : 0;
        for (Index k = 0; k < block_depth; ++k) expected += left(i, k) * static_cast<double>(right(0, 0, k, j));
      }
      const double error = std::abs(static_cast<double>(at(c, i * c_stride + j)) - expected);
      if (!(error <= worst)) worst = error;
    }
  return worst;
}

template <class T, class B>
void check_block() {
  const double bound = std::is_same_v<T, float> ? 1e-5 : 1e-13;
  const ScatteredLeft<T> near(B::rows, 1);
  const ScatteredLeft<T> apart(B::rows, 13);
  const auto right = recal::testing::random_tensor<T>("right", {1, 1, block_depth, B::columns + 5});
  const cpu::Right<T> rows_of_right{right.data(), B::columns + 5};
  for (Index rows = 1; rows <= B::rows; ++rows)
    for (Index columns = 1; columns <= B::columns; ++columns)
      for (const bool add : {false, true}) {
        CAPTURE(rows);
        CAPTURE(columns);
        CHECK(block_error<B>(near, right, rows, columns, add, [&](T* c, Index stride) {
                cpu::multiply_block<B>(rows, columns, block_depth,
                                       cpu::Left<T, cpu::Adjacent>{near.memory.data(), near.offsets.data(), {}},
                                       rows_of_right, c, stride, add);
              }) <= bound);
        CHECK(block_error<B>(apart, right, rows, columns, add, [&](T* c, Index stride) {
                cpu::multiply_block<B>(rows, columns, block_depth,
                                       cpu::Left<T>{apart.memory.data(), apart.offsets.data(), apart.step},
                                       rows_of_right, c, stride, add);
              }) <= bound);
      }
}

}  // namespace

TEST_CASE_TEMPLATE("multiply_block equals the sum it stands for and touches nothing else", T, float, double) {
  check_block<T, cpu::Block<T>>();
  check_block<T, cpu::WideBlock<T>>();
}

TEST_CASE("for_each_block cuts rows into nearly equal pieces that a block can hold") {
  using B = cpu::Block<float>;
  for (Index all = 0; all <= 5 * B::rows + 1; ++all) {
    Index next = 0;
    Index least = B::rows;
    Index most = 0;
    cpu::for_each_block<B>(all, [&](Index first, Index rows) {
      CHECK(first == next);
      next += rows;
      least = std::min(least, rows);
      most = std::max(most, rows);
    });
    CHECK(next == all);
    CHECK(most <= B::rows);
    CHECK((all == 0 || most - least <= 1));
  }
}

TEST_CASE_TEMPLATE("columns_for gives one register, half a block's or all, whatever is wanted", B, cpu::Block<float>,
                   cpu::WideBlock<float>, cpu::WideBlock<double>) {
  for (Index wanted = 1; wanted <= B::columns; ++wanted) {
    const Index columns = B::columns_for(wanted);
    CHECK(columns >= wanted);
    CHECK((columns == B::P::lanes || columns == B::columns / 2 || columns == B::columns));
    if (wanted <= B::columns / 2) CHECK(columns <= B::columns / 2);
  }
}
