// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/train/gradient_pool.hpp>

using recal::Buffer;
using recal::train::GradientPool;

TEST_CASE("a pool lends zeros, in the smallest memory that has room") {
  GradientPool<float> pool;
  Buffer<float> small = pool.lend(10);
  Buffer<float> large = pool.lend(1000);
  CHECK(small == Buffer<float>(10, 0.0F));
  CHECK(large == Buffer<float>(1000, 0.0F));
  const float* const small_at = small.data();
  const float* const large_at = large.data();
  pool.take_back(std::move(large));
  pool.take_back(std::move(small));

  Buffer<float> first = pool.lend(7);
  CHECK(first.data() == small_at);
  CHECK(first.size() == 7);
  Buffer<float> second = pool.lend(7);
  CHECK(second.data() == large_at);
  Buffer<float> third = pool.lend(7);
  CHECK(third.data() != small_at);
  CHECK(third.data() != large_at);
}

TEST_CASE("what is larger than all memory of a pool takes the place of the largest") {
  GradientPool<float> pool;
  pool.take_back(Buffer<float>(10, 0.0F));
  pool.take_back(Buffer<float>(20, 0.0F));
  Buffer<float> larger = pool.lend(21);
  CHECK(larger == Buffer<float>(21, 0.0F));
  CHECK(larger.capacity() == 21);
  CHECK(pool.lend(1).capacity() == 10);
  CHECK(pool.lend(1).capacity() == 1);
}
