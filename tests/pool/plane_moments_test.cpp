// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/pool/l2.hpp>
#include <recal/pool/max.hpp>
#include <recal/pool/mean.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/pool/moments_and_extremes.hpp>
#include <recal/pool/plane_moments.hpp>

#include "tests/support/noise.hpp"

namespace {

using recal::Index;

/// The style of a x + b, told from the moments of x and taken from the plane itself.
template <class P>
void check_pool(const P& pool, Index count, double a, double b) {
  CAPTURE(count);
  CAPTURE(a);
  const recal::Cpu::Team team;
  const auto x = recal::testing::noise("x", count);
  recal::Buffer<double> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = a * x[i] + b;
  double expected[P::width];
  double told[P::width];
  pool.finish(team.reduce(pool, count, static_cast<const double*>(y.data())), count, expected);
  const auto moments = recal::detail::plane_moments(
      team.reduce(recal::MomentsAndExtremes{}, count, static_cast<const double*>(x.data())), count);
  pool.finish_moments(moments.affine(a, b), told);
  for (Index i = 0; i < P::width; ++i) CHECK(std::abs(told[i] - expected[i]) <= 1e-12 * (1 + std::abs(expected[i])));
}

TEST_CASE("every moment pool knows the style of an affine image of the plane") {
  static_assert(recal::wants_extremes<recal::Max> && !recal::wants_extremes<recal::MeanStd>);
  for (const Index count : {1, 2, 7, 49, 5000})
    for (const double a : {2.0, -0.5, 0.0}) {
      check_pool(recal::Mean{}, count, a, 0.25);
      check_pool(recal::MeanStd{}, count, a, 0.25);
      check_pool(recal::L2{.eps = 1e-5}, count, a, 0.25);
      check_pool(recal::Max{}, count, a, 0.25);
    }
}

}  // namespace
