// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/reference/backend.hpp>
#include <recal/core/dots.hpp>

#include "tests/support/noise.hpp"

using recal::Index;
using recal::Reference;
using recal::testing::noise;

static_assert(!Reference::fuses_groups);
static_assert(std::is_same_v<Reference::Team::accumulator<float>, double>);

TEST_CASE("walk takes the groups one after the other") {
  std::vector<Index> seen;
  Reference{}.walk(5, 100, [&](const Reference::Team&, Index g) { seen.push_back(g); });
  CHECK(seen == std::vector<Index>{0, 1, 2, 3, 4});
  Reference{}.walk(0, 100, [&](const Reference::Team&, Index g) { seen.push_back(g); });
  CHECK(seen.size() == 5);
}

TEST_CASE_TEMPLATE("sums are those of a plain loop in double", T, float, double, recal::half, recal::bfloat16) {
  const auto x = noise<T>("x", 1000);
  const auto dy = noise<T>("dy", 1000);
  double sum = 0;
  double product = 0;
  for (std::size_t k = 0; k < 1000; ++k) {
    sum += static_cast<double>(dy[k]);
    product += static_cast<double>(dy[k]) * static_cast<double>(x[k]);
  }
  const auto dots = Reference::Team{}.reduce(recal::Dots{}, 1000, x.data(), dy.data());
  CHECK(dots.s0() == sum);
  CHECK(std::abs(dots.s1() - product) < 1e-12);
}

TEST_CASE_TEMPLATE("map computes in double and rounds once, in place too", T, float, double, recal::half,
                   recal::bfloat16) {
  auto x = noise<T>("x", 37);
  const auto before = x;
  const auto third = [](double value) { return value / 3 + 1; };
  recal::Buffer<T> y(37);
  Reference::Team{}.map(37, y.data(), third, x.data());
  Reference::Team{}.map(37, x.data(), third, x.data());
  int wrong = 0;
  for (std::size_t k = 0; k < 37; ++k) {
    const double exact = static_cast<double>(before[k]) / 3 + 1;
    if constexpr (std::is_arithmetic_v<T>)
      wrong += y[k] != static_cast<T>(exact);
    else
      wrong += y[k].bits != T(static_cast<float>(exact)).bits;
    wrong += static_cast<double>(x[k]) != static_cast<double>(y[k]);
  }
  CHECK(wrong == 0);
}
