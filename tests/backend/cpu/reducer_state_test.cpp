// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/backend/cpu/reducer_state.hpp>
#include <recal/pool/mean_std.hpp>

using namespace recal;
namespace parts = recal::cpu::detail;

namespace {

using Lanes = Pack<double, 4>;
using State = MeanStd::State<Lanes>;

/// Members whose lanes are 1, 2, 3, 4 and ten times as much.
State counted() {
  State state{};
  for (int lane = 0; lane < 4; ++lane) {
    state.sum.v[lane] = lane + 1;
    state.squares.v[lane] = 10 * (lane + 1);
  }
  return state;
}

}  // namespace

TEST_CASE("lanes are taken out, and merged by halves") {
  const State state = counted();
  CHECK(parts::lane_of<MeanStd, Lanes>(state, 2).sum == 3);
  const auto half = parts::merge_halves<MeanStd, double, 4>(state);
  CHECK(half.sum.v[0] == 1 + 3);
  CHECK(half.sum.v[1] == 2 + 4);
  const auto merged = parts::merge_lanes<MeanStd, 4>(state);
  CHECK(merged.sum == 10);
  CHECK(merged.squares == 100);
}

TEST_CASE("some lanes of one state, the others of another") {
  State state{};
  parts::blend<Lanes>(state, parts::lanes_from<Lanes>(3), counted());
  CHECK((state.sum.v[2] == 0));
  CHECK((state.sum.v[3] == 4));
}

TEST_CASE("a state is finite where all of its members are") {
  MeanStd::State<double> state{1, 2, 3};
  CHECK(parts::finite(state));
  state.squares = INFINITY;
  CHECK_FALSE(parts::finite(state));
  state.squares = NAN;
  CHECK_FALSE(parts::finite(state));
}
