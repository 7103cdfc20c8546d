// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/pool/l2.hpp>
#include <recal/pool/max.hpp>
#include <recal/pool/mean.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/recalibrate_planes.hpp>

#include "tests/support/random_tensor.hpp"

using recal::Affine;
using recal::Groups;
using recal::Index;
using recal::Mixing;
using recal::Plane;
using recal::PlaneRun;
using recal::Pull;
using recal::RunRows;
using recal::Shape;
using recal::Tensor;
using recal::testing::random_tensor;
using recal::testing::StridedTensor;

namespace {

constexpr Shape map{2, 3, 5, 7};

/// What is pulled from planes, from functions of their rows.
template <bool in_packs, class ScaleOf, class PullOf>
struct PulledBy {
  static constexpr bool packs = in_packs;
  ScaleOf scale_of;
  PullOf pull_of;

  template <class A>
  A scale(Index row) const {
    if constexpr (std::is_arithmetic_v<A>) {
      return scale_of(row);
    } else {
      A scales;
      for (int lane = 0; lane < A::lanes; ++lane) scales.v[lane] = scale_of(row + lane);
      return scales;
    }
  }

  template <class A>
  recal::BasicPull<A> pull(Index row) const {
    if constexpr (std::is_arithmetic_v<A>) {
      return pull_of(row);
    } else {
      recal::BasicPull<A> pulls;
      for (int lane = 0; lane < A::lanes; ++lane) {
        const Pull one = pull_of(row + lane);
        pulls.p.v[lane] = one.p;
        pulls.q.v[lane] = one.q;
        pulls.centre.v[lane] = one.centre;
        pulls.pick.v[lane] = one.pick;
        pulls.picked.v[lane] = one.picked;
      }
      return pulls;
    }
  }
};
template <bool in_packs = false, class ScaleOf, class PullOf>
PulledBy<in_packs, ScaleOf, PullOf> pulled(ScaleOf scale_of, PullOf pull_of) {
  return {scale_of, pull_of};
}

/// What run did, in order: "b" before, "m" between, "a" after; and how often to which plane.
struct Steps {
  std::mutex mutex{};
  std::vector<std::string> of_group;
  std::vector<int> planes;
  int misplaced = 0;

  explicit Steps(const Groups& groups)
      : of_group(static_cast<std::size_t>(groups.groups())), planes(static_cast<std::size_t>(groups.planes())) {}

  void note(Index group, char step) {
    const std::lock_guard lock(mutex);
    of_group.at(static_cast<std::size_t>(group)) += step;
  }
  void note(const Groups& groups, const PlaneRun& run, char step) {
    const RunRows rows = groups.rows_of(run);
    for (Index i = 0; i < run.size(); ++i) {
      const Index group = groups.block > 1 ? run.first + i : rows[i] / groups.rows();
      note(group, step);
      const std::lock_guard lock(mutex);
      planes.at(static_cast<std::size_t>(run.n * groups.shape.c + run.first + i)) += 1;
      if (groups.block > 1) continue;
      const Plane expected = groups.plane(group, rows[i] % groups.rows());
      misplaced += expected.n != run.n || expected.c != run.first + i || expected.row != rows[i];
    }
  }
};

/// The rows that a step was given.
struct RowRange {
  Index first;
  Index last;
};

/// Whether every group sees before on all rows, between once, after on all rows.
template <class B>
bool runs_in_order(const B& backend, const Groups& groups, bool together = false) {
  Steps steps(groups);
  const auto some = [&](Index first, Index last, const RowRange& rows) {
    for (Index g = first; g < last; ++g) {
      steps.note(g, 'm');
      steps.misplaced += g * groups.rows() < rows.first || (g + 1) * groups.rows() > rows.last;
    }
  };
  const auto all = [&](const auto&, const RowRange& rows) { some(0, groups.groups(), rows); };
  const auto on_planes = [&](char step) {
    return [&, step](const auto&, const PlaneRun& run, const RowRange& rows) {
      steps.note(groups, run, step);
      const RunRows own = groups.rows_of(run);
      const std::lock_guard lock(steps.mutex);
      steps.misplaced += own[0] < rows.first || own[run.size() - 1] >= rows.last;
    };
  };
  recal::detail::run(
      backend, groups,
      [](Index first, Index last) {
        return std::optional(RowRange{first, last});
      },
      on_planes('b'), recal::detail::Between{some, all, together}, on_planes('a'));
  const auto rows = static_cast<std::size_t>(groups.rows());
  const std::string expected = std::string(rows, 'b') + 'm' + std::string(rows, 'a');
  for (const std::string& found : steps.of_group)
    if (found != expected) return false;
  for (const int times : steps.planes)
    if (times != 2) return false;
  return steps.misplaced == 0;
}

template <class Check>
void on_both_teams(const Check& check) {
  check(recal::Cpu::Team{});
  check(recal::Reference::Team{});
}

}  // namespace

TEST_CASE("what the next pass writes is told where memory is asked for early and planes lie together") {
  const auto y = random_tensor<float>("y", map);
  const PlaneRun some{1, 1, 3};
  Groups groups{map, Mixing::none, true};
  CHECK(recal::detail::written_next(groups, some, y.view()).first == nullptr);
  groups.asks_early = true;
  CHECK(recal::detail::written_next(groups, some, y.view()).first ==
        reinterpret_cast<const std::byte*>(y.view().plane(1, 1)));
  CHECK(recal::detail::written_next(groups, some, y.view()).plane_bytes == 35 * 4);
  recal::TensorView<const float> apart = y.view();
  apart.shape = {2, 3, 5, 6};
  CHECK(recal::detail::written_next(groups, some, apart).first == nullptr);
}

TEST_CASE("what is written next changes no style") {
  const auto x = random_tensor<float>("x", {2, 37, 7, 7});
  recal::Tensor<float> y(x.shape());
  const Groups groups{x.shape(), Mixing::none, true};
  const PlaneRun all{1, 0, 37};
  recal::Buffer<double> plain(74);
  recal::Buffer<double> asking(74);
  const recal::Cpu::Team team;
  const recal::RunRows rows{0, 1};
  recal::detail::pool(team, recal::MeanStd{}, x.view(), all, rows, plain.data());
  recal::detail::pool(team, recal::MeanStd{}, x.view(), all, rows, asking.data(),
                      {reinterpret_cast<const std::byte*>(y.view().plane(1, 0)), 49 * 4});
  recal::detail::read_after(team, groups.asking_early(), all, x.view());
  recal::read_next(team, x.data(), x.size());
  CHECK(plain == asking);
  CHECK(plain[73] != 0);
}

TEST_CASE("run: before, between, after, in this order for every group, once for every plane") {
  for (const Mixing mixing : {Mixing::none, Mixing::samples, Mixing::channels})
    for (const Shape shape :
         {Shape{2, 3, 4, 4}, Shape{3, 20, 4, 4}, Shape{20, 3, 4, 4}, Shape{9, 9, 1, 1}, Shape{1, 1, 200, 200},
          Shape{1, 100, 3, 3}, Shape{9, 8, 256, 256}, Shape{131, 8, 64, 64}}) {
      CHECK_MESSAGE(runs_in_order(recal::Cpu{}, {shape, mixing}), to_string(shape));
      CHECK_MESSAGE(runs_in_order(recal::Cpu{}, {shape, mixing}, true), to_string(shape));
      CHECK_MESSAGE(runs_in_order(recal::Reference{}, {shape, mixing}), to_string(shape));
      const Groups blocks{shape, Mixing::samples, false, recal::ChannelBlock::width(shape)};
      CHECK_MESSAGE(runs_in_order(recal::Cpu{}, blocks), to_string(shape));
      CHECK_MESSAGE(runs_in_order(recal::Reference{}, blocks), to_string(shape));
      CHECK_MESSAGE(runs_in_order(recal::Cpu{}, {shape, Mixing::none, true}), to_string(shape));
      CHECK_MESSAGE(runs_in_order(recal::Reference{}, {shape, Mixing::none, true}), to_string(shape));
      Groups early{shape, Mixing::none, true};
      early.asks_early = shape.plane() <= Groups::short_run;
      CHECK_MESSAGE(runs_in_order(recal::Cpu{}, early), to_string(shape));
    }
}

TEST_CASE("run of nothing calls nothing on planes") {
  for (const Mixing mixing : {Mixing::samples, Mixing::channels}) {
    CHECK(runs_in_order(recal::Cpu{}, {{0, 3, 4, 4}, mixing}));
    CHECK(runs_in_order(recal::Reference{}, {{0, 3, 4, 4}, mixing}));
  }
}

TEST_CASE("pool writes the style of a plane into its row") {
  const auto x = random_tensor<double>("x", map);
  on_both_teams([&](const auto& team) {
    std::array<double, 12> style{};
    const PlaneRun one{1, 1, 2};
    recal::detail::pool(team, recal::MeanStd{}, x.view(), one, Groups{map, Mixing::channels}.rows_of(one),
                        style.data());
    double mean = 0;
    for (Index k = 0; k < 35; ++k) mean += x.view().plane(1, 1)[k] / 35;
    CHECK(style[8] == doctest::Approx(mean).epsilon(1e-13));
    CHECK(style[9] > 0);
    CHECK(style[7] == 0);
    CHECK(style[10] == 0);
  });
}

TEST_CASE_TEMPLATE("pool on runs of every length gives what finish gives of each plane", P, recal::Mean, recal::MeanStd,
                   recal::L2, recal::Max) {
  const auto x = random_tensor<float>("x", {2, 11, 7, 7});
  const recal::Cpu::Team team;
  const P pool{};
  for (const Mixing mixing : {Mixing::samples, Mixing::channels})
    for (Index last = 1; last <= 11; ++last) {
      const Groups groups{x.shape(), mixing};
      recal::Buffer<double> style(static_cast<std::size_t>(groups.planes() * P::width), -1.0);
      const PlaneRun some{1, 0, last};
      recal::detail::pool(team, pool, x.view(), some, groups.rows_of(some), style.data());
      double worst = 0;
      for (Index c = 0; c < 11; ++c) {
        std::array<double, static_cast<std::size_t>(P::width)> expected;
        expected.fill(-1.0);
        if (c < last) pool.finish(team.reduce(pool, 49, x.view().plane(1, c)), 49, expected.data());
        for (Index d = 0; d < P::width; ++d) {
          const double error = std::abs(recal::at(style, groups.row(1, c) * P::width + d) - recal::at(expected, d));
          worst = error <= worst ? worst : error;
        }
      }
      CHECK_MESSAGE(worst < 1e-15, "planes: ", last);
    }
}

TEST_CASE_TEMPLATE("apply: scale x + shift on planes of strided tensors, in place too", T, float, double) {
  const auto x = random_tensor<T>("x", map);
  const std::array gates{Affine{}, Affine{.scale = 1.5}, Affine{}, Affine{.scale = 0.5, .shift = 0.25}};
  const recal::detail::GatesOfPlanes of_planes{gates.data(), {1, 2}};
  on_both_teams([&](const auto& team) {
    StridedTensor<T> from(x);
    StridedTensor<T> to(map);
    recal::detail::apply(team, 35, 2, of_planes, from.view().planes(1, 1), to.view().planes(1, 1));
    recal::detail::apply(team, 35, 2, of_planes, from.view().planes(1, 1), from.view().planes(1, 1));
    double worst = 0;
    for (Index i = 0; i < 2; ++i)
      for (Index k = 0; k < 35; ++k) {
        const Affine gate = of_planes[i];
        const double expected = gate.scale * static_cast<double>(x.view().plane(1, 1 + i)[k]) + gate.shift;
        for (const auto& found : {to.view(), from.view()}) {
          const double error = std::abs(static_cast<double>(found.plane(1, 1 + i)[k]) - expected);
          worst = error <= worst ? worst : error;
        }
      }
    CHECK(worst < 1e-6);
    CHECK(std::isnan(to.view()(1, 0, 4, 6)));
    CHECK(from.view()(1, 0, 4, 6) == x(1, 0, 4, 6));
    CHECK(from.gaps_untouched());
    CHECK(to.gaps_untouched());
  });
}

TEST_CASE("dots: the gradients of scale and shift") {
  const auto x = random_tensor<double>("x", map);
  const auto dy = random_tensor<double>("dy", map);
  double scale = 0;
  double shift = 0;
  for (Index k = 0; k < 35; ++k) {
    scale += x.view().plane(1, 1)[k] * dy.view().plane(1, 1)[k];
    shift += dy.view().plane(1, 1)[k];
  }
  on_both_teams([&](const auto& team) {
    std::array<Affine, 6> grads{};
    const PlaneRun all{1, 0, 3};
    recal::detail::dots(team, x.view(), dy.view(), all, Groups{map, Mixing::none}.rows_of(all), grads.data());
    const Affine& grad = grads[3];  // of channel 1, sample 1
    CHECK(grad.scale == doctest::Approx(scale).epsilon(1e-13));
    CHECK(grad.shift == doctest::Approx(shift).epsilon(1e-13));
  });
}

TEST_CASE("pull: on more planes than a block has, in lanes or one by one, of rows that lie together or apart") {
  const Shape wide{1, 150, 3, 3};
  const auto x = random_tensor<float>("x", wide);
  const auto dy = random_tensor<float>("dy", wide);
  const auto scale_of = [](Index row) { return 1.0 + 0.01 * static_cast<double>(row); };
  const auto pull_of = [](Index row) { return Pull{.p = 0.001 * static_cast<double>(row), .q = 0.5, .centre = 0.25}; };
  const auto check = [&](const auto& team, const auto& pulled, const RunRows& rows) {
    Tensor<float> dx(wide, NAN);
    recal::detail::pull(team, 9, 150, rows, pulled, x.view().planes(0, 0), dy.view().planes(0, 0),
                        dx.view().planes(0, 0));
    double worst = 0;
    for (Index c = 0; c < 150; ++c)
      for (Index k = 0; k < 9; ++k) {
        const double expected = scale_of(rows[c]) * dy.view().plane(0, c)[k] + 0.001 * static_cast<double>(rows[c]) +
                                0.5 * (x.view().plane(0, c)[k] - 0.25);
        const double error = std::abs(dx.view().plane(0, c)[k] - expected);
        worst = error <= worst ? worst : error;
      }
    CHECK(worst < 1e-6);
  };
  on_both_teams([&](const auto& team) {
    for (const RunRows rows : {RunRows{0, 1}, RunRows{7, 1}, RunRows{2, 3}}) {
      check(team, pulled(scale_of, pull_of), rows);
      check(team, pulled<true>(scale_of, pull_of), rows);
    }
  });
}

TEST_CASE("pull: scale dy + p + q (x - centre), and the pick at the first element that equals it") {
  auto x = random_tensor<double>("x", map);
  x.view().plane(1, 2)[11] = x.view().plane(1, 2)[30] = 7;
  const auto dy = random_tensor<double>("dy", map);
  for (const auto& slopes : {std::pair{0.0, 0.0}, {0.0, 2.0}, {-1.0, 2.0}})
    for (const double pick : {0.0, 0.75})
      for (const int target : {0, 1, 2})  // a tensor of its own, dy, x
        on_both_teams([&](const auto& team) {
          Tensor<double> own(map, NAN);
          Tensor<double> x_copy = x;
          Tensor<double> dy_copy = dy;
          Tensor<double>& dx = target == 0 ? own : target == 1 ? dy_copy : x_copy;
          const std::array pulls{Pull{.p = -1, .q = slopes.first, .centre = 0.2},
                                 Pull{.p = 0.5, .q = slopes.second, .centre = 0.1, .pick = pick, .picked = 7}};
          const std::array scales{2.0, 1.25};
          recal::detail::pull(team, map.plane(), 2, RunRows{4, 3},
                              pulled([&](Index row) { return recal::at(scales, (row - 4) / 3); },
                                     [&](Index row) { return recal::at(pulls, (row - 4) / 3); }),
                              std::as_const(x_copy).view().planes(1, 1), std::as_const(dy_copy).view().planes(1, 1),
                              dx.view().planes(1, 1));
          double worst = 0;
          const auto look = [&](Index c, Index k, double expected) {
            const double error = std::abs(dx.view().plane(1, c)[k] - expected);
            worst = error <= worst ? worst : error;
          };
          for (Index k = 0; k < 35; ++k) {
            look(1, k, 2 * dy.view().plane(1, 1)[k] - 1 + slopes.first * (x.view().plane(1, 1)[k] - 0.2));
            look(2, k,
                 1.25 * dy.view().plane(1, 2)[k] + 0.5 + slopes.second * (x.view().plane(1, 2)[k] - 0.1) +
                     (k == 11 ? pick : 0.0));
          }
          CHECK_MESSAGE(worst < 1e-14, "q ", slopes.first, " and ", slopes.second, ", pick ", pick, ", target ",
                        target);
        });
}

TEST_CASE("a plane without a slope does not look at x, whatever slope the next one has") {
  Tensor<float> x(map, 3e38F);
  const auto dy = random_tensor<float>("dy", map);
  Tensor<float> dx(map, 0.0F);
  recal::detail::pull(
      recal::Cpu::Team{}, map.plane(), 2, RunRows{0, 1},
      pulled([](Index) { return 2.0; },
             [](Index row) { return row == 0 ? Pull{.centre = -3e38} : Pull{.q = 1e-30, .centre = 3e38}; }),
      std::as_const(x).view().planes(0, 0), dy.view().planes(0, 0), dx.view().planes(0, 0));
  Index wrong = 0;
  for (Index k = 0; k < 2 * map.plane(); ++k) wrong += dx.data()[k] != 2 * dy.data()[k];
  CHECK(wrong == 0);
}

TEST_CASE("a pick that no element equals goes nowhere") {
  const auto x = random_tensor<float>("x", map);
  const auto dy = random_tensor<float>("dy", map);
  Tensor<float> dx(map, 0.0F);
  recal::detail::pull(recal::Cpu::Team{}, map.plane(), map.c, RunRows{0, 1},
                      pulled([](Index) { return 2.0; }, [](Index) { return Pull{.pick = 5, .picked = 3}; }),
                      x.view().planes(0, 0), dy.view().planes(0, 0), dx.view().planes(0, 0));
  Index wrong = 0;
  for (Index k = 0; k < map.c * map.plane(); ++k) wrong += dx.data()[k] != 2 * dy.data()[k];
  CHECK(wrong == 0);
}
