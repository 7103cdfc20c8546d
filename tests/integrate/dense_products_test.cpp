// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/buffer.hpp>
#include <recal/integrate/dense_products.hpp>

#include "tests/support/integrate_check.hpp"

using recal::at;
using recal::Buffer;
using recal::Index;
using namespace recal::testing;
using recal::detail::Rows;

namespace {

template <class T>
Buffer<T> numbers(const char* name, Index count) {
  const auto all = noise(name, count);
  Buffer<T> narrow(all.size());
  std::transform(all.begin(), all.end(), narrow.begin(), [](double x) { return static_cast<T>(x); });
  return narrow;
}

/// Multiplied in A: how far from plain loops in double a result of `depth` products below 1 may be.
template <class A>
constexpr double rounding = std::same_as<A, double> ? 1e-12 : 2e-5;

/// The largest error of add_products; rows, columns and factors have gaps between them that must stay as they are.
template <class A, class X, class Y>
double products_error(Index rows, Index depth, Index columns, bool factors_by_row) {
  const Index gap = 3;
  const Index stride = columns + gap;
  const auto x = numbers<X>("x", depth * stride);
  const Index to = factors_by_row ? depth + gap : 1;
  const Index by = factors_by_row ? 1 : rows + gap;
  const auto factors = numbers<A>("factors", (rows + gap) * (depth + gap));
  const auto before = numbers<Y>("sums", rows * stride);
  auto sums = before;
  const Rows<const A> factor_rows{factors.data(), factors_by_row ? to : by};
  recal::detail::add_products(
      rows, depth, columns, factors_by_row ? recal::detail::by_row(factor_rows) : recal::detail::by_column(factor_rows),
      Rows<const X>{x.data(), stride}, Rows<Y>{sums.data(), stride});
  double worst = 0;
  for (Index a = 0; a < rows; ++a)
    for (Index i = 0; i < stride; ++i) {
      auto expected = static_cast<double>(at(before, a * stride + i));
      for (Index k = 0; k < depth && i < columns; ++k)
        expected += static_cast<double>(at(factors, a * to + k * by)) * static_cast<double>(at(x, k * stride + i));
      const double error = std::abs(static_cast<double>(at(sums, a * stride + i)) - expected);
      worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
    }
  return worst;
}

template <class A, class W>
double dots_error(Index outputs, Index samples, Index inputs) {
  const Index gap = 3;
  const auto w = numbers<W>("w", outputs * (inputs + gap));
  const auto x = numbers<A>("x", samples * (inputs + gap));
  const auto before = noise("y", samples * (outputs + gap));
  auto y = before;
  recal::detail::add_all_dots(outputs, samples, inputs, Rows<const W>{w.data(), inputs + gap},
                              Rows<const A>{x.data(), inputs + gap}, {y.data(), outputs + gap});
  double worst = 0;
  for (Index s = 0; s < samples; ++s)
    for (Index o = 0; o < outputs + gap; ++o) {
      double expected = at(before, s * (outputs + gap) + o);
      for (Index i = 0; i < inputs && o < outputs; ++i)
        expected +=
            static_cast<double>(at(w, o * (inputs + gap) + i)) * static_cast<double>(at(x, s * (inputs + gap) + i));
      const double error = std::abs(at(y, s * (outputs + gap) + o) - expected);
      worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
    }
  return worst;
}

template <class A>
void check_lane_sums() {
  std::array<recal::pack_for<A>, 5> packs;
  constexpr int lanes = recal::pack_for<A>::lanes;
  for (std::size_t i = 0; i < packs.size(); ++i)
    for (int lane = 0; lane < lanes; ++lane) packs[i].v[lane] = static_cast<A>(i) + static_cast<A>(10 * lane);
  const auto sums = recal::detail::lane_sums(packs);
  for (std::size_t i = 0; i < packs.size(); ++i)
    CHECK(sums[i] == static_cast<A>(i) * lanes + static_cast<A>(5 * lanes * (lanes - 1)));
}

}  // namespace

TEST_CASE_TEMPLATE("sums of rows equal plain loops for all sizes", T, float, double) {
  for (const Index rows : {0, 1, 3, 4, 8, 9, 13})
    for (const Index depth : {0, 1, 5, 63, 64, 65, 150})
      for (const Index columns : {0, 1, 3, 8, 16, 31, 32, 100}) {
        CAPTURE(rows);
        CAPTURE(depth);
        CAPTURE(columns);
        const bool by_row = (rows + depth + columns) % 2 == 0;
        CHECK(products_error<T, T, double>(rows, depth, columns, by_row) <= rounding<T>);
        CHECK(products_error<T, T, T>(rows, depth, columns, by_row) <= rounding<T>);
        CHECK(products_error<double, T, double>(rows, depth, columns, by_row) <= rounding<double>);
        CHECK(products_error<double, double, T>(rows, depth, columns, by_row) <= rounding<T>);
      }
}

TEST_CASE_TEMPLATE("dots equal plain loops for all sizes", T, float, double) {
  for (const Index outputs : {0, 1, 2, 7, 8, 17})
    for (const Index samples : {0, 1, 3, 4, 9})
      for (const Index inputs : {0, 1, 4, 15, 511, 512, 513, 1030}) {
        CAPTURE(outputs);
        CAPTURE(samples);
        CAPTURE(inputs);
        CHECK(dots_error<T, T>(outputs, samples, inputs) <= rounding<T>);
        CHECK(dots_error<double, T>(outputs, samples, inputs) <= rounding<double>);
      }
}

TEST_CASE("the lanes of any number of packs are summed up") {
  check_lane_sums<float>();
  check_lane_sums<double>();
}

TEST_CASE("pieces cover all, the largest first") {
  std::vector<std::pair<Index, int>> pieces;
  recal::detail::in_pieces<4, 2, 1>(11, [&](Index first, auto own) { pieces.emplace_back(first, own); });
  CHECK(pieces == std::vector<std::pair<Index, int>>{{0, 4}, {4, 4}, {8, 2}, {10, 1}});
}
