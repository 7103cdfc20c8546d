// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/planes.hpp>
#include <recal/core/dots.hpp>
#include <recal/pool/l2.hpp>
#include <recal/pool/max.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/pool/moments_and_extremes.hpp>

#include "tests/support/noise.hpp"

using recal::bfloat16;
using recal::Buffer;
using recal::half;
using recal::Index;
using recal::testing::noise;

namespace {

/// 1 to 200, around the stretches of a sum, and planes of 112 x 112.
std::vector<Index> sizes() {
  std::vector<Index> all;
  for (Index k = 1; k <= 200; ++k) all.push_back(k);
  all.insert(all.end(), {4095, 4096, 4097, 8191, 8192, 8193, 12544});
  return all;
}

template <class T>
constexpr double rounding = std::same_as<T, double> ? 1e-13 : 4e-6;

struct Sums {
  long double mean = 0;
  long double about_mean = 0;
  long double squares = 0;
  long double top = -1e30L;
  long double s0 = 0;
  long double s1 = 0;
};

/// Two passes in long double.
template <class T>
Sums sums_of(const Buffer<T>& x, const Buffer<T>& dy) {
  Sums s;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const auto value = static_cast<long double>(x[k]);
    s.mean += value / static_cast<long double>(x.size());
    s.squares += value * value;
    s.top = std::max(s.top, value);
    s.s0 += static_cast<long double>(dy[k]);
    s.s1 += static_cast<long double>(dy[k]) * value;
  }
  for (const T value : x)
    s.about_mean += (static_cast<long double>(value) - s.mean) * (static_cast<long double>(value) - s.mean);
  return s;
}

bool near(double found, long double expected, double tolerance) {
  return std::abs(static_cast<double>(static_cast<long double>(found) - expected)) <= tolerance;
}

/// Whether all reductions of a random plane of K elements in [lo, hi) are right.
template <class T>
bool right(Index count, double lo, double hi) {
  const auto x = noise<T>("x", count, lo, hi);
  const auto dy = noise<T>("dy", count);
  const Sums expected = sums_of(x, dy);
  const auto k = static_cast<double>(count);
  const double size = std::max(std::abs(lo), std::abs(hi));
  const double spread = hi - lo;
  const double last_digit = 4e-16 * size;  // of a mean in double

  const auto moments = recal::cpu::reduce(recal::MeanStd{}, count, x.data());
  const double about_mean = moments.squares - moments.sum * moments.sum / k;
  const auto dots = recal::cpu::reduce(recal::Dots{}, count, x.data(), dy.data());
  const double squares = recal::cpu::reduce(recal::L2{}, count, x.data()).squares;
  const double top = recal::cpu::reduce(recal::Max{}, count, x.data()).top;
  return near(moments.shift + moments.sum / k, expected.mean, rounding<T> * spread + last_digit) &&
         near(about_mean, expected.about_mean, rounding<T> * k * spread * spread) &&
         near(squares, expected.squares, rounding<T> * k * size * size) && near(top, expected.top, 0) &&
         near(dots.s0(), expected.s0, rounding<T> * k) && near(dots.s1(), expected.s1, rounding<T> * k * size) &&
         near(dots.s1_about(static_cast<double>(expected.mean)), expected.s1 - expected.mean * expected.s0,
              (rounding<T> * spread + last_digit) * k);
}

/// Whether two states have the same bits.
template <class State>
bool same(const State& a, const State& b) {
  return std::memcmp(&a, &b, sizeof(State)) == 0;
}

/// State by state, whether a reducer gives the same bits for the same numbers at every address.
template <class Reducer, class T>
bool same_at_every_address(Index count) {
  const auto plane = noise<T>("plane", count);
  const auto expected = recal::cpu::reduce(Reducer{}, count, plane.data());
  for (std::size_t shift = 1; shift < 20; ++shift) {
    Buffer<T> moved(plane.size() + shift, T(1e4F));
    std::ranges::copy(plane, moved.begin() + static_cast<std::ptrdiff_t>(shift));
    const auto found = recal::cpu::reduce(Reducer{}, count, moved.data() + shift);
    if (!same(found, expected)) return false;
  }
  return true;
}

/// A sink that takes planes side by side, and says which it was given one by one.
template <class Reducer>
struct SideBySide {
  using State = typename Reducer::template State<double>;
  std::vector<State>& states;
  int& single;

  void operator()(Index, const State& state) const {
    states.push_back(state);
    ++single;
  }
  template <class Lanes>
  void several(Index first, Index planes, const typename Reducer::template State<Lanes>& all) const {
    CHECK(first == static_cast<Index>(states.size()));
    for (Index p = 0; p < planes; ++p)
      states.push_back(recal::cpu::detail::lane_of<Reducer, Lanes>(all, static_cast<int>(p)));
  }
};

/// Whether each plane of runs of every length has the bits that it has by itself; `stride` elements apart.
template <class Reducer, class... T>
bool same_in_every_run(Index count, Index stride, const Buffer<T>&... in) {
  for (Index planes = 0; planes <= 19; ++planes) {
    Index seen = 0;
    bool right = true;
    recal::cpu::reduce_planes(
        Reducer{}, count, planes,
        [&](Index i, const auto& state) {
          right =
              right && i == seen++ && same(state, recal::cpu::reduce(Reducer{}, count, (in.data() + i * stride)...));
        },
        recal::PlaneSpan<const T>{in.data(), stride}...);
    if (!right || seen != planes) return false;
  }
  return true;
}

}  // namespace

TEST_CASE_TEMPLATE("reductions equal a long double reference for every size", T, float, double, half, bfloat16) {
  Index wrong = 0;
  for (const Index count : sizes()) wrong += right<T>(count, -1, 1) ? 0 : 1;
  CHECK(wrong == 0);
  CHECK(right<T>(1000000, -1, 1));
  CHECK(right<T>(12544, 0, 6));
}

TEST_CASE_TEMPLATE("an offset of 1e4 costs a deviation of 0.1 no digits", T, float, double) {
  Index wrong = 0;
  for (const Index count : sizes()) wrong += right<T>(count, 1e4 - 0.1, 1e4 + 0.1) ? 0 : 1;
  for (const Index count : sizes()) wrong += right<T>(count, -1e4 - 0.1, -1e4 + 0.1) ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("a constant plane has exactly its mean and no deviation", T, float, double, half, bfloat16) {
  for (const double value : {0.0, 0.1, 123.456, -9999.7, 1e-40, 3e4})
    for (const Index count : {1, 2, 31, 49, 3136, 4097, 12544}) {
      const Buffer<T> x(static_cast<std::size_t>(count), T(static_cast<float>(value)));
      const auto moments = recal::cpu::reduce(recal::MeanStd{}, count, x.data());
      CHECK(moments.shift == static_cast<double>(x[0]));
      CHECK(moments.sum == 0);
      CHECK(moments.squares == 0);
    }
}

TEST_CASE_TEMPLATE("squares beyond the range of float are summed in double", T, float, double, bfloat16) {
  for (const Index count : {1, 2, 30, 64, 777, 5000}) {
    Buffer<T> x(static_cast<std::size_t>(count));
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = T(k % 2 == 0 ? 1e30F : -1e30F);
    const auto expected = sums_of(x, x);
    const auto moments = recal::cpu::reduce(recal::MeanStd{}, count, x.data());
    const double squares = recal::cpu::reduce(recal::L2{}, count, x.data()).squares;
    const double about_mean = moments.squares - moments.sum * moments.sum / static_cast<double>(count);
    CHECK(near(squares / 1e60, expected.squares / 1e60L, 1e-9 * static_cast<double>(count)));
    CHECK(near(about_mean / 1e60, expected.about_mean / 1e60L, 1e-9 * static_cast<double>(count)));
    CHECK(std::isfinite(recal::cpu::reduce(recal::Dots{}, count, x.data(), x.data()).s1()));
  }
}

TEST_CASE("differences beyond the range of float too") {
  Buffer<float> x(100, std::numeric_limits<float>::max());
  x[0] = std::numeric_limits<float>::lowest();
  const auto moments = recal::cpu::reduce(recal::MeanStd{}, 100, x.data());
  CHECK(moments.shift + moments.sum / 100 == doctest::Approx(0.98 * 3.4028234663852886e38));
}

TEST_CASE_TEMPLATE("a NaN is seen wherever it lies", T, float, double, half) {
  for (const std::size_t where : {0U, 1U, 63U, 64U, 98U}) {
    auto x = noise<T>("x", 99);
    x[where] = T(std::numeric_limits<float>::quiet_NaN());
    CHECK(std::isnan(recal::cpu::reduce(recal::L2{}, 99, x.data()).squares));
    CHECK(std::isnan(recal::cpu::reduce(recal::MeanStd{}, 99, x.data()).sum));
  }
}

TEST_CASE_TEMPLATE("sums depend on the numbers and not on where they lie", T, float, double, half, bfloat16) {
  for (const Index count : {1, 7, 50, 333, 5000}) {
    CHECK(same_at_every_address<recal::MeanStd, T>(count));
    CHECK(same_at_every_address<recal::L2, T>(count));
  }
}

TEST_CASE_TEMPLATE("a plane sums up to the same bits in a run of any length as by itself", T, float, double, half,
                   bfloat16) {
  for (const Index count : {1, 2, 3, 4, 7, 8, 9, 16, 31, 49, 64, 100, 196, 300, 600})
    for (const Index gap : {0, 5}) {
      const Index stride = count + gap;
      const auto x = noise<T>("x", 19 * stride);
      const auto dy = noise<T>("dy", 19 * stride);
      CHECK(same_in_every_run<recal::MeanStd>(count, stride, x));
      CHECK(same_in_every_run<recal::MomentsAndExtremes>(count, stride, x));
      CHECK(same_in_every_run<recal::L2>(count, stride, x));
      CHECK(same_in_every_run<recal::Dots>(count, stride, x, dy));
    }
}

TEST_CASE("a sink of planes side by side is given each small plane once, with the bits that it has by itself") {
  constexpr float huge = std::numeric_limits<float>::max();
  for (const Index count : {1, 5, 49, 196, 600})
    for (const Index planes : {1, 3, 4, 64, 67, 131}) {
      auto x = noise<float>("x", planes * count);
      if (planes > 64) recal::at(x, 65 * count) = huge;  // its squares are summed up in double
      std::vector<recal::L2::State<double>> states;
      int single = 0;
      recal::cpu::reduce_planes(recal::L2{}, count, planes, SideBySide<recal::L2>{states, single},
                                recal::PlaneSpan<const float>{x.data(), count});
      CHECK(single == (count >= recal::cpu::detail::large_plane<float> ? planes : 0));
      REQUIRE(static_cast<Index>(states.size()) == planes);
      int wrong = 0;
      for (Index i = 0; i < planes; ++i)
        wrong += !same(recal::at(states, i), recal::cpu::reduce(recal::L2{}, count, x.data() + i * count));
      CHECK(wrong == 0);
    }
}

TEST_CASE_TEMPLATE("a plane that overflows or has a NaN leaves its neighbours alone", T, float, double, bfloat16) {
  for (const Index count : {4, 49, 300})
    for (const float odd : {1e30F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      auto x = noise<T>("x", 6 * count);
      const auto clean = x;
      recal::at(x, 2 * count + count / 2) = T(odd);
      recal::cpu::reduce_planes(
          recal::L2{}, count, 6,
          [&](Index i, const auto& state) {
            if (i != 2)
              CHECK(same(state, recal::cpu::reduce(recal::L2{}, count, clean.data() + i * count)));
            else if (std::isfinite(odd))
              CHECK(state.squares == doctest::Approx(1e60).epsilon(0.01));
            else
              CHECK(!std::isfinite(state.squares));
          },
          recal::PlaneSpan<const T>{x.data(), count});
    }
}

TEST_CASE("planes of two scalars are reduced in the wider one") {
  const auto x = noise<float>("x", 100);
  const auto dy = noise<double>("dy", 100);
  double expected = 0;
  for (std::size_t k = 0; k < 100; ++k) expected += static_cast<double>(x[k]) * dy[k];
  CHECK(near(recal::cpu::reduce(recal::Dots{}, 100, x.data(), dy.data()).s1(), expected, 1e-13));

  const auto narrow = noise<half>("x", 100);
  expected = 0;
  for (std::size_t k = 0; k < 100; ++k) expected += static_cast<double>(narrow[k]) * static_cast<double>(x[k]);
  CHECK(near(recal::cpu::reduce(recal::Dots{}, 100, narrow.data(), x.data()).s1(), expected, 1e-5));
}

TEST_CASE_TEMPLATE("map writes every element once and none beside, in place too", T, float, double, half, bfloat16) {
  const auto f = [](auto value) { return value * 2 + 1; };
  int wrong = 0;
  for (Index count = 0; count <= 64; ++count) {
    const auto x = noise<T>("x", count);
    Buffer<T> y(x.size() + 2, T(-7.0F));
    recal::cpu::map(count, y.data() + 1, f, x.data());
    Buffer<T> same = x;
    recal::cpu::map(count, same.data(), f, same.data());
    for (std::size_t k = 0; k < x.size(); ++k) {
      const T expected(static_cast<float>(x[k]) * 2 + 1);
      wrong += static_cast<float>(y[k + 1]) != static_cast<float>(expected);
      wrong += static_cast<float>(same[k]) != static_cast<float>(expected);
    }
    wrong += static_cast<float>(y.front()) != -7.0F || static_cast<float>(y.back()) != -7.0F;
  }
  CHECK(wrong == 0);
}

TEST_CASE("map takes several planes of several scalars") {
  for (Index count = 0; count <= 64; ++count) {
    const auto a = noise<half>("a", count);
    const auto b = noise<float>("b", count);
    const auto c = noise<double>("c", count);
    Buffer<bfloat16> y(a.size());
    recal::cpu::map(
        count, y.data(), [](auto p, auto q, auto r) { return p * q - r; }, a.data(), b.data(), c.data());
    int wrong = 0;
    for (std::size_t k = 0; k < y.size(); ++k) {
      const double exact = static_cast<double>(a[k]) * static_cast<double>(b[k]) - c[k];
      wrong += !(std::abs(static_cast<double>(y[k]) - exact) <= std::abs(exact) / 256 + 1e-12);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE_TEMPLATE("planes one after the other have a map each, and nothing beside is written, in place too", T, float,
                   double, half, bfloat16) {
  const auto of = [](Index i) {
    return [factor = static_cast<float>(1 << i)](auto value) { return value * factor + 1; };
  };
  int wrong = 0;
  for (Index count = 1; count <= 70; ++count)
    for (Index planes = 0; planes <= 5; ++planes) {
      const auto x = noise<T>("x", count * planes);
      Buffer<T> y(x.size() + 2, T(-7.0F));
      recal::cpu::map_each_plane(count, planes, y.data() + 1, of, x.data());
      Buffer<T> same = x;
      recal::cpu::map_each_plane(count, planes, same.data(), of, same.data());
      for (std::size_t k = 0; k < x.size(); ++k) {
        const auto factor = static_cast<float>(1 << (static_cast<Index>(k) / count));
        const T expected(static_cast<float>(x[k]) * factor + 1);
        wrong += static_cast<float>(y[k + 1]) != static_cast<float>(expected);
        wrong += static_cast<float>(same[k]) != static_cast<float>(expected);
      }
      wrong += static_cast<float>(y.front()) != -7.0F || static_cast<float>(y.back()) != -7.0F;
    }
  CHECK(wrong == 0);
}

TEST_CASE("maps of a plane each take several planes of several scalars") {
  const Index count = 49;
  const auto a = noise<half>("a", count * 3);
  const auto b = noise<float>("b", count * 3);
  Buffer<bfloat16> y(a.size());
  recal::cpu::map_each_plane(
      count, 3, y.data(),
      [](Index i) { return [factor = static_cast<float>(i)](auto p, auto q) { return p * q - factor; }; }, a.data(),
      b.data());
  int wrong = 0;
  for (std::size_t k = 0; k < y.size(); ++k) {
    const double exact = static_cast<double>(a[k]) * static_cast<double>(b[k]) - static_cast<double>(k / 49);
    wrong += !(std::abs(static_cast<double>(y[k]) - exact) <= std::abs(exact) / 256 + 1e-12);
  }
  CHECK(wrong == 0);
}
