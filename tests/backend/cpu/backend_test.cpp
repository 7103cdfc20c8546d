// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/core/dots.hpp>

#include "tests/support/noise.hpp"

using recal::Cpu;
using recal::Index;
using recal::testing::noise;

static_assert(Cpu::fuses_groups && std::is_empty_v<Cpu>);
static_assert(std::is_same_v<Cpu::Team::accumulator<recal::half>, float>);
static_assert(std::is_same_v<Cpu::Team::accumulator<double>, double>);

TEST_CASE("walk runs the program once for every group, whatever their size") {
  for (const Index groups : {0, 1, 2, 9, 100, 1000})
    for (const Index elements : {Index{0}, Index{1}, Index{49}, Index{16384}, Index{16385}, Index{1} << 40}) {
      std::vector<std::atomic<int>> times(static_cast<std::size_t>(groups));
      Cpu{}.walk(groups, elements, [&](const Cpu::Team&, Index g) { ++times.at(static_cast<std::size_t>(g)); });
      Index wrong = 0;
      for (const auto& time : times) wrong += time != 1;
      CHECK_MESSAGE(wrong == 0, groups, " groups of ", elements);
    }
}

TEST_CASE("a team does with a plane what recal::cpu does, to the last bit") {
  const auto x = noise<float>("x", 1001);
  const auto dy = noise<float>("dy", 1001);
  const Cpu::Team team;
  const auto sums = team.reduce(recal::Dots{}, 1001, x.data(), dy.data());
  const auto expected = recal::cpu::reduce(recal::Dots{}, 1001, x.data(), dy.data());
  CHECK(sums.s0() == expected.s0());
  CHECK(sums.s1() == expected.s1());

  recal::Buffer<float> product(1001);
  recal::Buffer<float> product_expected(1001);
  const auto multiply = [](auto a, auto b) { return a * b; };
  team.map(1001, product.data(), multiply, x.data(), dy.data());
  recal::cpu::map(1001, product_expected.data(), multiply, x.data(), dy.data());
  CHECK(product == product_expected);
}
