// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/pool/field_pool.hpp>
#include <recal/pool/gather_depthwise.hpp>
#include <recal/pool/gather_mean.hpp>
#include <recal/pool/mean.hpp>

using recal::Index;

static_assert(recal::FieldPool<recal::GatherMean> && recal::FieldPool<recal::GatherDepthwise<float>>);
static_assert(!recal::FieldPool<recal::Mean> && !recal::FieldPool<int>);

TEST_CASE("nearest resize: floor(i * field / size)") {
  std::vector<Index> rows;
  for (Index i = 0; i < 5; ++i) rows.push_back(recal::nearest(i, 5, 3));
  CHECK(rows == std::vector<Index>{0, 0, 1, 1, 2});
  rows.clear();
  for (Index i = 0; i < 7; ++i) rows.push_back(recal::nearest(i, 7, 4));
  CHECK(rows == std::vector<Index>{0, 0, 1, 1, 2, 2, 3});
  CHECK(recal::nearest(6, 7, 1) == 0);
}

TEST_CASE("every position of a field has pixels, in order") {
  int wrong = 0;
  for (Index size = 1; size <= 64; ++size)
    for (Index extent = 2; extent <= 64; extent *= 2) {
      const Index field = recal::field_size(size, extent);
      Index last = 0;
      for (Index i = 0; i < size; ++i) {
        const Index position = recal::nearest(i, size, field);
        wrong += position < last || position > last + 1;
        last = position;
      }
      wrong += last != field - 1;
    }
  CHECK(wrong == 0);
}

TEST_CASE("the field of extent e is ceil(size / e)") {
  CHECK(recal::field_size(14, 8) == 2);
  CHECK(recal::field_size(7, 8) == 1);
  CHECK(recal::field_size(28, 8) == 4);
  CHECK(recal::field_size(5, 2) == 3);
  CHECK(recal::field_size(56, 0) == 1);
  CHECK(recal::field_size(0, 0) == 0);
  CHECK(recal::field_size(0, 4) == 0);
}

TEST_CASE("extents are 0 or powers of two from 2 on") {
  for (const Index good : {0, 2, 4, 8, 16, 1024}) CHECK_NOTHROW(recal::check_extent(good));
  for (const Index bad : {-8, -2, -1, 1, 3, 6, 12, 1023}) CHECK_THROWS_AS(recal::check_extent(bad), recal::error);
  CHECK_THROWS_WITH_AS(recal::check_extent(3),
                       "recal: GE: the extent must be 0 (the whole map) or a power of two from 2 on, found 3",
                       recal::error);
}
