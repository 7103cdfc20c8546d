// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>
#include <type_traits>

#include <doctest/doctest.h>

#include <recal/core/transpose_lanes.hpp>

TEST_CASE_TEMPLATE("lane j of row i becomes lane i of row j", P, recal::Pack<float, 4>, recal::Pack<float, 8>,
                   recal::Pack<double, 2>, recal::Pack<double, 4>, recal::Pack<double, 8>) {
  using Number = std::remove_cvref_t<decltype(P(0).v[0])>;
  constexpr int lanes = P::lanes;
  std::array<P, static_cast<std::size_t>(lanes)> rows;
  for (int i = 0; i < lanes; ++i)
    for (int j = 0; j < lanes; ++j) rows[static_cast<std::size_t>(i)].v[j] = static_cast<Number>(100 * i + j);
  recal::transpose_lanes(rows);
  int wrong = 0;
  for (int i = 0; i < lanes; ++i)
    for (int j = 0; j < lanes; ++j) wrong += rows[static_cast<std::size_t>(i)].v[j] != static_cast<Number>(100 * j + i);
  CHECK(wrong == 0);
}
