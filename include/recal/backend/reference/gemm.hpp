// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/matrix.hpp>
#include <recal/backend/reference/backend.hpp>

namespace recal {

/// C = (add ? C : 0) + A B by its definition, sums in double. Sizes as in backend/cpu/gemm.hpp.
template <class T>
void gemm(const Reference&, const MatrixView<const T>& a, const MatrixView<const T>& b, const MatrixView<T>& c,
          bool add) {
  for (Index i = 0; i < c.rows; ++i)
    for (Index j = 0; j < c.columns; ++j) {
      double sum = add ? static_cast<double>(c(i, j)) : 0.0;
      for (Index k = 0; k < a.columns; ++k) sum += static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
      c(i, j) = static_cast<T>(sum);
    }
}

}  // namespace recal
