// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/dots.hpp>
#include <recal/core/random.hpp>

using recal::Dots;
using recal::Index;

namespace {

template <class A>
Dots::State<A> sum_up(const std::vector<A>& x, const std::vector<A>& dy, std::size_t first, std::size_t last) {
  auto state = Dots::start(x[0], dy[0]);
  for (std::size_t k = first; k < last; ++k) Dots::add(state, x[k], dy[k]);
  return state;
}

}  // namespace

TEST_CASE("the two sums, whole and in parts") {
  const std::vector<double> x{3, -1, 4, 1, -5};
  const std::vector<double> dy{2, 7, -1, 8, 2};
  auto whole = sum_up(x, dy, 0, 5);
  CHECK(whole.s0() == 18);
  CHECK(whole.s1() == 6 - 7 - 4 + 8 - 10);
  CHECK(whole.s1_about(1.0) == 2 * 2 + 7 * -2 - 3 + 0 + 2 * -6);

  auto parts = sum_up(x, dy, 0, 2);
  Dots::merge(parts, sum_up(x, dy, 2, 5));
  CHECK(parts.s0() == whole.s0());
  CHECK(parts.s1() == whole.s1());
}

TEST_CASE("a large offset of x costs the sum about the mean no digits") {
  std::vector<double> x(1000);
  std::vector<double> dy(1000);
  long double mean = 0;
  for (std::size_t k = 0; k < 1000; ++k) {
    x[k] = 1e8 + recal::random_unit(1, k);
    dy[k] = recal::random_unit(2, k) - 0.5;
    mean += static_cast<long double>(x[k]) / 1000;
  }
  const auto centre = static_cast<double>(mean);
  long double expected = 0;
  for (std::size_t k = 0; k < 1000; ++k) expected += static_cast<long double>(dy[k]) * (x[k] - centre);
  const double found = sum_up(x, dy, 0, 1000).s1_about(centre);
  CHECK(std::abs(found - static_cast<double>(expected)) < 1e-12);
}
