// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/row_lanes.hpp>

using recal::Affine;
using recal::Index;
using recal::Pack;
using recal::RunRows;

TEST_CASE("planes come in packs where their rows lie together and packs are wanted") {
  constexpr Index lanes = recal::pack_for<double>::lanes;
  const auto packs_of = [](auto packs, const RunRows& rows, Index planes) {
    Index next = 0;
    Index found = 0;
    recal::detail::for_each_row_lanes<packs>(rows, planes, [&](Index i, auto number) {
      constexpr bool pack = !std::is_same_v<decltype(number), double>;
      CHECK(i == next);
      next += pack ? lanes : 1;
      found += pack;
    });
    CHECK(next == planes);
    return found;
  };
  const Index planes = 2 * lanes + 1;
  CHECK(packs_of(std::true_type{}, {5, 1}, planes) == 2);
  CHECK(packs_of(std::true_type{}, {5, 3}, planes) == 0);
  CHECK(packs_of(std::false_type{}, {5, 1}, planes) == 0);
}

TEST_CASE("numbers of some lanes go into the rows of their planes and nowhere else") {
  using P = Pack<double, 4>;
  P first;
  P second;
  for (int lane = 0; lane < 4; ++lane) {
    first.v[lane] = 10 + lane;
    second.v[lane] = 20 + lane;
  }
  for (const Index step : {1, 3})
    for (const Index planes : {1, 3, 4}) {
      std::vector<double> numbers(40, -1.0);
      const RunRows rows{2, step};
      recal::detail::store_rows(numbers.data(), rows, 1, planes, std::array{first, second});
      std::vector<double> expected(40, -1.0);
      for (Index i = 0; i < planes; ++i) {
        expected.at(static_cast<std::size_t>(2 * rows[1 + i])) = static_cast<double>(10 + i);
        expected.at(static_cast<std::size_t>(2 * rows[1 + i] + 1)) = static_cast<double>(20 + i);
      }
      CHECK(numbers == expected);
    }
  std::vector<double> numbers(10, -1.0);
  recal::detail::store_rows(numbers.data(), RunRows{1, 2}, 3, 1, std::array{5.0});
  CHECK(numbers.at(7) == 5.0);
}

TEST_CASE("gates are two numbers each, scale and shift") {
  std::array<Affine, 2> gates{Affine{1, 2}, Affine{3, 4}};
  const double* numbers = recal::detail::numbers_of(gates.data());
  CHECK(numbers[0] == 1);
  CHECK(numbers[1] == 2);
  CHECK(recal::detail::numbers_of(&gates[1])[1] == 4);
  const auto [scale, shift] = recal::detail::load_gates<Pack<double, 2>>(gates.data());
  CHECK((scale.v[0] == 1 && scale.v[1] == 3));
  CHECK((shift.v[0] == 2 && shift.v[1] == 4));
  CHECK(recal::detail::load_gates<double>(&gates[1])[0] == 3);
}
