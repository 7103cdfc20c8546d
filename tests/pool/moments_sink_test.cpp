// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/pool/moments_sink.hpp>

namespace {

using recal::BasicPlaneMoments;
using recal::Index;
using recal::PlaneMoments;

double lane(double number, Index) { return number; }

template <int L>
double lane(const recal::Pack<double, L>& numbers, Index i) {
  return numbers.v[i];
}

/// Planes of K elements 0, 1, ... K - 1, each 100 above the one before.
std::vector<float> stairs(Index planes, Index count) {
  std::vector<float> all;
  for (Index p = 0; p < planes; ++p)
    for (Index k = 0; k < count; ++k) all.push_back(static_cast<float>(100 * p + k));
  return all;
}

template <class Team, class Reducer>
void check_moments(const Team& team, const Reducer& reducer, bool extremes) {
  for (const Index count : {1, 3, 49, 2000})
    for (const Index planes : {1, 4, 7}) {
      const auto x = stairs(planes, count);
      std::vector<PlaneMoments> found(static_cast<std::size_t>(planes));
      const auto keep = [&]<class A>(Index first, Index own, const BasicPlaneMoments<A>& m) {
        for (Index i = 0; i < own; ++i)
          found.at(static_cast<std::size_t>(first + i)) = {m.count, lane(m.mean, i), lane(m.squares, i),
                                                           lane(m.smallest, i), lane(m.largest, i)};
      };
      recal::reduce_planes(team, reducer, count, planes, recal::detail::moments_sink(count, keep),
                           recal::PlaneSpan<const float>{x.data(), count});
      const auto k = static_cast<double>(count);
      for (Index p = 0; p < planes; ++p) {
        const PlaneMoments& m = found[static_cast<std::size_t>(p)];
        const auto first = static_cast<double>(100 * p);
        CHECK(m.count == count);
        CHECK(m.mean == doctest::Approx(first + (k - 1) / 2).epsilon(1e-12));
        CHECK(m.squares == doctest::Approx(k * (k * k - 1) / 12).epsilon(1e-6));
        CHECK(m.smallest == (extremes ? first : 0.0));
        CHECK(m.largest == (extremes ? first + k - 1 : 0.0));
      }
    }
}

}  // namespace

TEST_CASE_TEMPLATE("every plane's moments arrive, one by one or several at once", B, recal::Cpu, recal::Reference) {
  check_moments(typename B::Team{}, recal::MeanStd{}, false);
  check_moments(typename B::Team{}, recal::MomentsAndExtremes{}, true);
}
