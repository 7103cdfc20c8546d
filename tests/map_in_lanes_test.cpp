// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/core/interleaved.hpp>
#include <recal/map_in_lanes.hpp>

using recal::Index;
using recal::PlaneSpan;
using recal::RunRows;

namespace {

template <class A>
struct Plus {
  A number;
  template <class P>
  P operator()(P x) const {
    return x + P(number);
  }
};

template <bool packs, class Team>
void check_planes(const Team& team, Index count, Index planes, Index stride, const RunRows& rows) {
  std::vector<double> numbers(static_cast<std::size_t>(rows[planes]) + 8);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i);
  std::vector<float> x(static_cast<std::size_t>(stride * planes));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7);
  std::vector<float> y = x;
  recal::detail::map_in_lanes<Plus, packs>(
      team, count, planes, rows,
      [&]<class A>(Index i, A) {
        CHECK((packs || std::is_same_v<A, double>));
        return Plus<A>{recal::load<A>(numbers.data() + rows[i])};
      },
      PlaneSpan<float>{y.data(), stride}, PlaneSpan<const float>{y.data(), stride});
  Index wrong = 0;
  for (Index i = 0; i < planes; ++i)
    for (Index k = 0; k < stride; ++k) {
      const auto at = static_cast<std::size_t>(i * stride + k);
      wrong += y[at] != x[at] + (k < count ? static_cast<float>(rows[i]) : 0.0F);
    }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("every plane gets the map of its own row, in place, on any number of planes", B, recal::Cpu,
                   recal::Reference) {
  const typename B::Team team;
  for (const Index planes : {0, 1, 13, 64, 150})
    for (const Index count : {1, 9, 49})
      for (const RunRows rows : {RunRows{0, 1}, RunRows{5, 1}, RunRows{3, 4}}) {
        check_planes<true>(team, count, planes, count, rows);
        check_planes<true>(team, count, planes, count + 3, rows);
        check_planes<false>(team, count, planes, count, rows);
      }
}
