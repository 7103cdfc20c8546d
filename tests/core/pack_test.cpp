// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/pack.hpp>
#include <recal/core/random.hpp>

using recal::bfloat16;
using recal::half;
using recal::Pack;

namespace {

static_assert(recal::pack_for<float>::lanes * 4 == recal::register_bytes);
static_assert(recal::pack_for<half>::lanes == recal::pack_for<float>::lanes);
static_assert(recal::pack_for<double>::lanes * 8 == recal::register_bytes);
static_assert(sizeof(Pack<double, 2>) == 16 && std::is_trivially_copyable_v<Pack<float, 4>>);

/// Small quarters, exact in every scalar.
template <class T>
std::vector<T> quarters(std::uint64_t seed, std::size_t count) {
  std::vector<T> x(count);
  for (std::size_t i = 0; i < count; ++i)
    x[i] = T(static_cast<float>(static_cast<int>(recal::random_bits(seed, i) % 33) - 16) / 4);
  return x;
}

template <class P>
P some(std::uint64_t seed) {
  using T = std::remove_cvref_t<decltype(P{}.v[0])>;
  return recal::load<P>(quarters<T>(seed, P::lanes).data());
}

/// The number of lanes in which `packed` is not `f` of the lanes.
template <class P, class F, class... In>
int wrong_lanes(P packed, const F& f, In... in) {
  int wrong = 0;
  for (int lane = 0; lane < P::lanes; ++lane) wrong += packed.v[lane] != f(in.v[lane]...);
  return wrong;
}

/// Loads and stores P from and to T at every alignment, beside numbers that must stay.
template <class P, class T>
int wrong_memory() {
  constexpr std::size_t lanes = P::lanes;
  int wrong = 0;
  for (std::size_t shift = 0; shift < 4; ++shift) {
    const auto from = quarters<T>(7, lanes + shift);
    const P a = recal::load<P>(from.data() + shift);
    std::vector<T> to(lanes + shift + 2, T(99.0F));
    recal::store(to.data() + shift + 1, a);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      wrong += static_cast<double>(a.v[lane]) != static_cast<double>(from[shift + lane]);
      wrong += static_cast<double>(to[shift + 1 + lane]) != static_cast<double>(from[shift + lane]);
    }
    wrong += static_cast<float>(to[shift]) != 99.0F || static_cast<float>(to.back()) != 99.0F;
  }
  return wrong;
}

template <class A, class T>
int wrong_number() {
  T to{};
  const T from(2.25F);
  recal::store(&to, recal::load<A>(&from));
  return static_cast<float>(to) == 2.25F ? 0 : 1;
}

}  // namespace

// Those that fit the registers this is compiled for.
#define RECAL_TEST_PACKS \
  recal::pack_for<float>, Pack<float, recal::pack_for<float>::lanes / 2>, recal::pack_for<double>, Pack<double, 2>

TEST_CASE_TEMPLATE("arithmetic goes lane by lane", P, RECAL_TEST_PACKS) {
  const P a = some<P>(1);
  const P b = some<P>(2);
  const P divisor = b * b + P(1);
  CHECK(wrong_lanes(
            a + b, [](auto x, auto y) { return x + y; }, a, b) == 0);
  CHECK(wrong_lanes(
            a - b, [](auto x, auto y) { return x - y; }, a, b) == 0);
  CHECK(wrong_lanes(
            a * b, [](auto x, auto y) { return x * y; }, a, b) == 0);
  CHECK(wrong_lanes(
            a / divisor, [](auto x, auto y) { return x / y; }, a, divisor) == 0);
  CHECK(wrong_lanes(
            -a, [](auto x) { return -x; }, a) == 0);
  P sum = a;
  sum += b;
  sum *= a;
  sum -= b;
  CHECK(wrong_lanes(
            sum, [](auto x, auto y) { return (x + y) * x - y; }, a, b) == 0);
}

TEST_CASE_TEMPLATE("a number stands for a pack of it", P, RECAL_TEST_PACKS) {
  const P a = some<P>(3);
  CHECK(wrong_lanes(
            P(2.5), [](auto) { return 2.5; }, a) == 0);
  CHECK(wrong_lanes(
            a * 2 + 1, [](auto x) { return x * 2 + 1; }, a) == 0);
}

TEST_CASE_TEMPLATE("max, min, where_positive and choose_positive choose lane by lane", P, RECAL_TEST_PACKS) {
  const P a = some<P>(4);
  const P b = some<P>(5);
  CHECK(wrong_lanes(
            max(a, b), [](auto x, auto y) { return x > y ? x : y; }, a, b) == 0);
  CHECK(wrong_lanes(
            min(a, b), [](auto x, auto y) { return x < y ? x : y; }, a, b) == 0);
  CHECK(wrong_lanes(
            multiply_add(a, b, a), [](auto x, auto y) { return recal::multiply_add(x, y, x); }, a, b) == 0);
  CHECK(wrong_lanes(
            where_positive(a, b), [](auto x, auto y) { return x > 0 ? y : y * 0; }, a, b) == 0);
  CHECK(wrong_lanes(
            where_positive(P(0), b), [](auto y) { return y * 0; }, b) == 0);
  CHECK(wrong_lanes(
            choose_positive(a, b, a), [](auto x, auto y) { return x < 0 ? x : y; }, a, b) == 0);
}

TEST_CASE_TEMPLATE("lanes that are not 0 are counted", P, RECAL_TEST_PACKS) {
  P a(0);
  CHECK(count_nonzero(a) == 0);
  a.v[1] = -1;
  CHECK(count_nonzero(a) == 1);
  CHECK(count_nonzero(P(NAN)) == P::lanes);
}

TEST_CASE_TEMPLATE("rounded to what another scalar can hold", P, RECAL_TEST_PACKS) {
  const P a = some<P>(6) / 3;
  CHECK(wrong_lanes(
            recal::rounded_to<float>(a), [](auto x) { return static_cast<decltype(x)>(static_cast<float>(x)); }, a) ==
        0);
}

TEST_CASE_TEMPLATE("the root of every lane", P, RECAL_TEST_PACKS) {
  P a = some<P>(1) * some<P>(1);
  a.v[1] = 2;
  CHECK(wrong_lanes(
            sqrt(a), [](auto x) { return std::sqrt(x); }, a) == 0);
}

TEST_CASE("scalars have the same functions") {
  CHECK(recal::max(2.0F, 3.0F) == 3.0F);
  CHECK(recal::min(2.0, 3.0) == 2.0);
  CHECK(recal::multiply_add(2.0, 3.0, 4.0) == 10.0);
  CHECK(recal::where_positive(1.0, 5.0) == 5.0);
  CHECK(recal::where_positive(0.0, 5.0) == 0.0);
  CHECK(recal::where_positive(-1.0F, 5.0F) == 0.0F);
  CHECK(recal::choose_positive(0.0, 1.0, 2.0) == 1.0);
  CHECK(recal::choose_positive(-0.5, 1.0, 2.0) == 2.0);
  CHECK(recal::count_nonzero(0.0F) == 0);
  CHECK(recal::count_nonzero(-2.0) == 1);
  CHECK(recal::rounded_to<float>(1.0 / 3) == static_cast<double>(1.0F / 3));
}

TEST_CASE_TEMPLATE("every scalar is loaded and stored, at any address", P, RECAL_TEST_PACKS) {
  CHECK(wrong_memory<P, float>() == 0);
  CHECK(wrong_memory<P, double>() == 0);
  CHECK(wrong_memory<P, half>() == 0);
  CHECK(wrong_memory<P, bfloat16>() == 0);
}

TEST_CASE_TEMPLATE("a single number too", T, float, double, half, bfloat16) {
  CHECK(wrong_number<float, T>() == 0);
  CHECK(wrong_number<double, T>() == 0);
}

TEST_CASE_TEMPLATE("storing rounds like the scalar does", T, float, half, bfloat16) {
  using P = Pack<double, 2>;
  for (const std::vector<double>& from : {std::vector{1.0 / 3, -2e5}, std::vector{1e-7, 3.14159265358979}}) {
    std::vector<T> to(2);
    recal::store(to.data(), recal::load<P>(from.data()));
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(static_cast<float>(to[i]) == static_cast<float>(T(static_cast<float>(from[i]))));
  }
}
