// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/reference/gemm.hpp>

#include <vector>

#include <doctest/doctest.h>

using namespace recal;

TEST_CASE("reference gemm by hand, transposed and added") {
  const float a[] = {1, 2, 3, 4, 5, 6};
  const float b[] = {1, 0, 2, 1, 0, 3};
  float c[] = {10, 10, 10, 10};
  gemm(Reference{}, row_major(a, 2, 3), row_major(b, 3, 2), row_major(c, 2, 2), true);
  CHECK(std::vector<float>(c, c + 4) == std::vector<float>{15, 21, 24, 33});
  gemm(Reference{}, row_major(a, 3, 2).transposed(), row_major(b, 3, 2), row_major(c, 2, 2), false);
  CHECK(std::vector<float>(c, c + 4) == std::vector<float>{7, 18, 10, 22});
}
