// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

namespace recal::detail {

/// Sums side by side in row_sum(), so that additions do not wait for each other.
inline constexpr std::size_t row_sums = 8;

/// sum of of_row(i), a double or a pack, for i in [0, rows): of fewer than row_sums one after the other, else row i
/// goes to sum i % row_sums, and these are put together by halves.
template <class OfRow>
[[nodiscard]] inline auto row_sum(std::size_t rows, const OfRow& of_row) {
  using A = std::invoke_result_t<OfRow, std::size_t>;
  if (rows < row_sums) {
    A sum(0);
    for (std::size_t row = 0; row < rows; ++row) sum += of_row(row);
    return sum;
  }
  std::array<A, row_sums> sums{};
  std::size_t row = 0;
  for (; row + row_sums <= rows; row += row_sums)
    for (std::size_t i = 0; i < row_sums; ++i) sums[i] += of_row(row + i);
  for (std::size_t i = 0; row < rows; ++row, ++i) sums[i] += of_row(row);
  for (std::size_t half = row_sums / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  return sums[0];
}

}  // namespace recal::detail
