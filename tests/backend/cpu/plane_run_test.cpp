// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/backend/cpu/plane_run.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/core/dots.hpp>
#include <recal/pool/max.hpp>
#include <recal/pool/mean_std.hpp>

#include "tests/support/noise.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

/// What planes sum up to side by side must be, to the bit, what each sums up to alone.
template <class Reducer, class T>
void check_run(Index count, Index planes, double low, double high) {
  if (count >= cpu::detail::large_plane<accumulator_t<T>>) return;  // never side by side
  const auto from = noise<T>("planes", count * planes, low, high);
  const PlaneSpan<const T> span{from.data(), count};
  cpu::detail::PlaneStates<Reducer> together;
  cpu::detail::reduce_side_by_side<Reducer, accumulator_t<T>>(together, count, planes, span);
  CHECK(cpu::detail::all_zero(together.zeros()));
  for (Index p = 0; p < planes; ++p) {
    const auto own = together[p];
    const auto alone = cpu::reduce(Reducer{}, count, from.data() + p * count);
    for (std::size_t m = 0; m < cpu::detail::member_count<double, decltype(own)>; ++m)
      CHECK(cpu::detail::member<double>(own, m) == cpu::detail::member<double>(alone, m));
  }
}

}  // namespace

TEST_CASE("a plane does not depend on its neighbours, however many there are") {
  for (Index count = 1; count <= 70; ++count)
    for (Index planes = 1; planes <= cpu::detail::side; ++planes) {
      check_run<MeanStd, float>(count, planes, 99, 101);
      check_run<Max, float>(count, planes, -1, 1);
      check_run<MeanStd, double>(count, planes, -1, 1);
    }
}

TEST_CASE("sums are those of plain loops") {
  const Index count = 49;
  const auto from = noise<float>("planes", count * cpu::detail::side, 2, 3);
  cpu::detail::PlaneStates<MeanStd> states;
  cpu::detail::reduce_side_by_side<MeanStd, float>(states, count, cpu::detail::side,
                                                   PlaneSpan<const float>{from.data(), count});
  for (Index p = 0; p < cpu::detail::side; ++p) {
    double sum = 0;
    for (Index k = 0; k < count; ++k) sum += static_cast<double>(at(from, p * count + k)) - states[p].shift;
    CHECK(!(std::abs(states[p].sum - sum) > 1e-5));
  }
}

TEST_CASE("a sum that is not finite is seen, whichever plane it is of, and can be set right") {
  const Index count = 20;
  for (Index p = 0; p < cpu::detail::side; ++p) {
    auto from = noise<float>("planes", count * cpu::detail::side);
    for (Index k = 0; k < count; k += 2) at(from, p * count + k) = 3e30F;
    cpu::detail::PlaneStates<MeanStd> states;
    cpu::detail::reduce_side_by_side<MeanStd, float>(states, count, cpu::detail::side,
                                                     PlaneSpan<const float>{from.data(), count});
    CHECK_FALSE(cpu::detail::all_zero(states.zeros()));
    states.set(p, {.shift = 1, .sum = 2, .squares = 3});
    CHECK(cpu::detail::all_zero(states.zeros()));
    CHECK(states[p].squares == 3);
  }
}
