// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/matrix.hpp>

#include <doctest/doctest.h>

using namespace recal;

TEST_CASE("MatrixView finds its elements and turns without copying") {
  float data[] = {1, 2, 3, 4, 5, 6};
  const auto m = row_major(data, 2, 3);
  CHECK(m(1, 2) == 6);
  CHECK(m.transposed()(2, 1) == 6);
  CHECK(m.transposed().rows == 3);
  CHECK(m.transposed().columns == 2);
  m(0, 1) = 9;
  CHECK(data[1] == 9);
}
