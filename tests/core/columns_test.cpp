// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/core/columns.hpp>
#include <recal/core/pack.hpp>

using recal::Columns;
using recal::Index;

namespace {

template <class A>
struct Couple {
  A first;
  A second;
};

template <class A>
Couple<A> couple_of(double i) {
  return {A(i), A(-10 * i)};
}

}  // namespace

TEST_CASE_TEMPLATE("items come back, one by one and as the lanes of packs", T, float, double) {
  using P = recal::pack_for<double>;
  Columns<Couple, T, 16> columns{};
  for (Index i = 0; i < 16; ++i) columns.set(i, couple_of<double>(static_cast<double>(i)));
  CHECK(columns.get(7).first == T{7});
  CHECK(columns.get(7).second == T{-70});
  CHECK(columns.template get<double>(15).second == -150);
  for (const Index from : {Index{0}, Index{1}, 16 - Index{P::lanes}}) {
    const Couple<P> several = columns.template get<P>(from);
    for (int lane = 0; lane < P::lanes; ++lane) {
      CHECK(several.first.v[lane] == static_cast<double>(from + lane));
      CHECK(several.second.v[lane] == -10.0 * static_cast<double>(from + lane));
    }
  }
  columns.set(3, couple_of<P>(0.5));
  for (Index i = 0; i < 16; ++i) {
    const bool set = i >= 3 && i < 3 + P::lanes;
    CHECK(columns.get(i).first == (set ? T(0.5) : static_cast<T>(i)));
    CHECK(columns.get(i).second == (set ? T{-5} : static_cast<T>(-10 * i)));
  }
}

TEST_CASE("numbers are rounded to what a column holds") {
  Columns<Couple, float, 8> columns{};
  columns.set(0, Couple<double>{1.0 / 3, 1e-60});
  CHECK(columns.get<double>(0).first == static_cast<double>(1.0F / 3));
  CHECK(columns.get(0).second == 0.0F);
}

TEST_CASE("columns that are begun with {} hold zeros") {
  const Columns<Couple, double, 8> columns{};
  for (Index i = 0; i < 8; ++i) CHECK((columns.get(i).first == 0 && columns.get(i).second == 0));
}
