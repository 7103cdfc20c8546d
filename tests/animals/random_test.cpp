// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "random.hpp"

namespace {

using animals::Index;
using animals::Purpose;
using animals::Random;

TEST_CASE("the numbers are a function of seed, purpose, keys and count") {
  Random a(7, Purpose::augment, {3, 5});
  Random b(7, Purpose::augment, {3, 5});
  for (int i = 0; i < 10; ++i) CHECK(a.bits() == b.bits());
  std::set<std::uint64_t> first;
  for (const std::uint64_t seed : {0U, 1U, 2U})
    for (const Purpose purpose : {Purpose::order, Purpose::augment})
      for (const std::uint64_t epoch : {0U, 1U})
        for (const std::uint64_t index : {0U, 1U}) first.insert(Random(seed, purpose, {epoch, index}).bits());
  CHECK(first.size() == 24);
}

TEST_CASE("uniform numbers fill [0, 1) evenly") {
  Random random(1, Purpose::show);
  std::vector<int> tenths(10);
  for (int i = 0; i < 20000; ++i) {
    const double u = random.uniform();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    ++tenths[static_cast<std::size_t>(10 * u)];
  }
  for (const int count : tenths) CHECK(std::abs(count - 2000) < 200);
}

TEST_CASE("below gives every number below its bound") {
  Random random(1, Purpose::show);
  std::vector<int> seen(7);
  for (int i = 0; i < 7000; ++i) ++seen[static_cast<std::size_t>(random.below(7))];
  for (const int count : seen) CHECK(std::abs(count - 1000) < 150);
  CHECK(random.below(1) == 0);
}

TEST_CASE("a permutation holds every number once, in an order of the seed's") {
  const auto order = animals::permutation(1000, Random(3, Purpose::order));
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<Index> expected(1000);
  std::iota(expected.begin(), expected.end(), Index{0});
  CHECK(sorted == expected);
  CHECK(order != expected);
  CHECK(order == animals::permutation(1000, Random(3, Purpose::order)));
  CHECK(order != animals::permutation(1000, Random(4, Purpose::order)));
  CHECK(animals::permutation(0, Random(3, Purpose::order)).empty());
}

}  // namespace
