// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/pack.hpp>
#include <recal/integrate/row_sum.hpp>

using recal::detail::row_sum;

TEST_CASE("every row counts once, however many there are") {
  for (std::size_t rows = 0; rows <= 40; ++rows) {
    std::vector<int> asked(rows, 0);
    const double sum = row_sum(rows, [&](std::size_t row) {
      ++asked[row];
      return static_cast<double>(row * row);
    });
    double expected = 0;
    for (std::size_t row = 0; row < rows; ++row) expected += static_cast<double>(row * row);
    CHECK(sum == expected);
    CHECK(asked == std::vector<int>(rows, 1));
  }
}

TEST_CASE("sums go side by side and are put together by halves") {
  // Row 8 meets row 0 before anything else does: alone, it would be lost beside row 1.
  std::vector<double> rows(9, 0.0);
  rows[0] = 1;
  rows[8] = 1;
  rows[1] = 0x1p53;
  CHECK(row_sum(rows.size(), [&](std::size_t row) { return rows[row]; }) == 0x1p53 + 2);
}

TEST_CASE("packs are summed lane by lane as their numbers are") {
  using P = recal::Pack<double, 4>;
  for (std::size_t rows = 0; rows <= 20; ++rows) {
    const auto number = [](std::size_t row, int lane) { return 1.0 / static_cast<double>(1 + row * 4) + lane * 0.3; };
    const P sums = row_sum(rows, [&](std::size_t row) {
      P of_row;
      for (int lane = 0; lane < 4; ++lane) of_row.v[lane] = number(row, lane);
      return of_row;
    });
    for (int lane = 0; lane < 4; ++lane)
      CHECK(sums.v[lane] == row_sum(rows, [&](std::size_t row) { return number(row, lane); }));
  }
}
