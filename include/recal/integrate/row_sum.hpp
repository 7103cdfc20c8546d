// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

namespace recal::detail {

/// Sums side by side in row_sum(), so that additions do not wait for each other.
inline constexpr std::size_t row_sums = 8;

/// sum of of_row(i) for i in [0, rows): of fewer than row_sums one after the other, else row i goes to sum i %
/// row_sums, and these are put together by halves.
template <class OfRow>
[[nodiscard]] inline double row_sum(std::size_t rows, const OfRow& of_row) {
  if (rows < row_sums) {
    double sum = 0;
    for (std::size_t row = 0; row < rows; ++row) sum += of_row(row);
    return sum;
  }
  std::array<double, row_sums> sums{};
  std::size_t row = 0;
  for (; row + row_sums <= rows; row += row_sums)
    for (std::size_t i = 0; i < row_sums; ++i) sums[i] += of_row(row + i);
  for (std::size_t i = 0; row < rows; ++row, ++i) sums[i] += of_row(row);
  for (std::size_t half = row_sums / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0];
}

}  // namespace recal::detail
