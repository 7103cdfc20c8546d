// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/backend.hpp>
#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/pool/mean_std.hpp>

#include "tests/support/archetypes.hpp"
#include "tests/support/noise.hpp"

using recal::Index;
using recal::testing::LeastBackend;
using recal::testing::noise;

namespace {

struct NoMap : LeastBackend {
  struct Team {
    template <class T>
    using accumulator = double;
    template <class Reducer, class... T>
    auto reduce(const Reducer&, Index, const T*...) const -> typename Reducer::template State<double>;
  };
  template <class Program>
  void walk(Index, Index, const Program&) const {}
};

struct SumsInFloat : NoMap {
  struct Team {
    template <class T>
    using accumulator = float;
    template <class Reducer, class... T>
    auto reduce(const Reducer&, Index, const T*...) const -> typename Reducer::template State<float>;
    template <class Out, class F, class... T>
    void map(Index, Out*, const F&, const T*...) const {}
  };
};

struct NoWalk {
  using Team = LeastBackend::Team;
  static constexpr bool fuses_groups = true;
};

struct SaysNotWhetherItFuses {
  using Team = LeastBackend::Team;
  template <class Program>
  void walk(Index, Index, const Program&) const {}
};

static_assert(recal::Backend<recal::Cpu> && recal::Backend<recal::Reference> && recal::Backend<LeastBackend>);
static_assert(!recal::Team<NoMap::Team> && !recal::Backend<NoMap>);
static_assert(!recal::Team<SumsInFloat::Team> && !recal::Backend<SumsInFloat>);
static_assert(!recal::Backend<NoWalk> && !recal::Backend<SaysNotWhetherItFuses> && !recal::Backend<int>);

template <class Team>
auto style(const Team& team, const recal::Buffer<float>& plane) {
  const auto count = static_cast<Index>(plane.size());
  std::array<double, 2> t{};
  recal::MeanStd{}.finish(team.reduce(recal::MeanStd{}, count, plane.data()), count, t.data());
  return t;
}

}  // namespace

TEST_CASE("all teams reduce a plane to the same numbers") {
  for (const Index count : {1, 2, 49, 777, 5000}) {
    const auto plane = noise<float>("plane", count, -3, 5);
    const auto expected = style(recal::Reference::Team{}, plane);
    for (const auto& found : {style(recal::Cpu::Team{}, plane), style(LeastBackend::Team(0), plane)}) {
      CHECK(found[0] == doctest::Approx(expected[0]).epsilon(1e-6));
      CHECK(found[1] == doctest::Approx(expected[1]).epsilon(1e-6));
    }
  }
}

TEST_CASE("all teams map a plane to the same numbers") {
  const auto plane = noise<float>("plane", 77);
  const auto f = [](auto x) { return x * 0.5 + 0.25; };
  recal::Buffer<float> expected(77);
  recal::Buffer<float> found(77);
  recal::Reference::Team{}.map(77, expected.data(), f, plane.data());
  LeastBackend::Team(0).map(77, found.data(), f, plane.data());
  CHECK(found == expected);
  recal::Cpu::Team{}.map(
      77, found.data(), [](auto x) { return x * 0.5F + 0.25F; }, plane.data());
  CHECK(found == expected);
}
