// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/gemm.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <recal/backend/reference/gemm.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"

using namespace recal;
using recal::testing::random_tensor;
using recal::testing::relative_error;

namespace {

/// A matrix of random numbers whose elements lie row by row, column by column, or two apart.
template <class T>
class Stored {
 public:
  Stored(std::string_view name, Index rows, Index columns, Index order)
      : memory_(random_tensor<T>(name, {1, 1, 2, rows * columns})) {
    const Index gap = order == 2 ? 2 : 1;
    view_ = {memory_.data(), rows, columns, order == 1 ? 1 : gap * columns, order == 1 ? rows : gap};
  }

  [[nodiscard]] MatrixView<T> view() { return view_; }
  [[nodiscard]] MatrixView<const T> constant() const {
    return {view_.data, view_.rows, view_.columns, view_.row_stride, view_.column_stride};
  }
  [[nodiscard]] const Tensor<T>& memory() const { return memory_; }

 private:
  Tensor<T> memory_;
  MatrixView<T> view_;
};

template <class T>
double largest_error(Index m, Index k, Index n, Index order, bool add) {
  const Stored<T> a("a", m, k, order % 3);
  const Stored<T> b("b", k, n, order / 3 % 3);
  Stored<T> found("c", m, n, order / 9);
  Stored<T> expected("c", m, n, order / 9);
  gemm(Cpu{}, a.constant(), b.constant(), found.view(), add);
  gemm(Reference{}, a.constant(), b.constant(), expected.view(), add);
  return relative_error(found.memory(), expected.memory());
}

}  // namespace

TEST_CASE("gemm equals the reference for all orders of all three matrices") {
  for (Index order = 0; order < 27; ++order)
    for (const bool add : {false, true}) {
      CAPTURE(order);
      CHECK(largest_error<float>(13, 29, 71, order, add) <= 2e-6);
      CHECK(largest_error<double>(13, 29, 71, order, add) <= 1e-14);
    }
}

TEST_CASE("gemm equals the reference for all sizes, where blocks end and where nothing is") {
  for (const Index m : {0, 1, 6, 97})
    for (const Index k : {0, 1, 256, 300})
      for (const Index n : {0, 1, 64, 130}) {
        CAPTURE(m);
        CAPTURE(k);
        CAPTURE(n);
        CHECK(largest_error<float>(m, k, n, 0, false) <= 2e-6);
        CHECK(largest_error<float>(m, k, n, 3, true) <= 2e-6);
      }
}

TEST_CASE("gemm gives the same bits for any number of threads") {
  const int before = thread_count();
  const Stored<float> a("a", 200, 300, 0);
  const Stored<float> b("b", 300, 150, 1);
  Stored<float> expected("c", 200, 150, 0);
  set_thread_count(1);
  gemm(Cpu{}, a.constant(), b.constant(), expected.view(), false);
  for (const int threads : {2, 3, 5}) {
    set_thread_count(threads);
    Stored<float> found("other", 200, 150, 0);
    gemm(Cpu{}, a.constant(), b.constant(), found.view(), false);
    CHECK(std::equal(found.view().data, found.view().data + 200 * 150, expected.view().data));
  }
  set_thread_count(before);
}
