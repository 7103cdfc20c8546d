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

TEST_CASE("planes are reduced one by one or side by side, as the team can") {
  const auto planes = noise<float>("planes", 7 * 60);
  const auto on = [&](const auto& team) {
    Index seen = 0;
    recal::reduce_planes(
        team, recal::MeanStd{}, 49, 7,
        [&](Index i, const auto& state) {
          CHECK(i == seen++);
          const auto own = team.reduce(recal::MeanStd{}, 49, planes.data() + i * 60);
          CHECK(state.sum == own.sum);
          CHECK(state.squares == own.squares);
        },
        recal::PlaneSpan<const float>{planes.data(), 60});
    CHECK(seen == 7);
  };
  on(recal::Cpu::Team{});
  on(recal::Reference::Team{});
  on(LeastBackend::Team(0));
}

TEST_CASE("every plane can have a map of its own, and nothing between planes is touched") {
  constexpr Index count = 20;
  const auto planes = noise<float>("planes", 3 * 22);
  const auto on = [&](const auto& team) {
    for (const Index from : {count, Index{22}})
      for (const Index to : {count, Index{22}}) {
        recal::Buffer<float> out(66, -1.0F);
        recal::map_each_plane(
            team, count, 3, recal::PlaneSpan<float>{out.data(), to},
            [](Index i) { return [factor = static_cast<float>(1 << i)](auto x) { return x * factor; }; },
            recal::PlaneSpan<const float>{planes.data(), from});
        int wrong = 0;
        for (Index i = 0; i < 3; ++i)
          for (Index k = 0; k < to; ++k) {
            const float expected = k < count ? static_cast<float>(1 << i) * recal::at(planes, i * from + k) : -1.0F;
            wrong += recal::at(out, i * to + k) != expected;
          }
        CHECK(wrong == 0);
      }
  };
  on(recal::Cpu::Team{});
  on(recal::Reference::Team{});
}

TEST_CASE("planes are mapped at once where they lie one after the other, and nothing between them is touched") {
  const auto planes = noise<float>("planes", 3 * 12);
  const auto f = [](auto x) { return x * 0.5F; };
  for (const Index from : {10, 12})
    for (const Index to : {10, 12}) {
      recal::Buffer<float> out(36, -1.0F);
      recal::map_planes(recal::Cpu::Team{}, 10, 3, recal::PlaneSpan<float>{out.data(), to}, f,
                        recal::PlaneSpan<const float>{planes.data(), from});
      int wrong = 0;
      for (Index i = 0; i < 3; ++i)
        for (Index k = 0; k < to; ++k) {
          const float expected = k < 10 ? 0.5F * recal::at(planes, i * from + k) : -1.0F;
          wrong += recal::at(out, i * to + k) != expected;
        }
      CHECK(wrong == 0);
    }
}
