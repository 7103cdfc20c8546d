// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include <recal/core/random.hpp>
#include <recal/core/scalar.hpp>

using recal::bfloat16;
using recal::half;

namespace {

static_assert(recal::TensorScalar<float> && recal::TensorScalar<double>);
static_assert(recal::TensorScalar<half> && recal::TensorScalar<bfloat16>);
static_assert(!recal::TensorScalar<int> && !recal::TensorScalar<const float> && !recal::TensorScalar<long double>);
static_assert(std::same_as<recal::accumulator_t<double>, double>);
static_assert(std::same_as<recal::accumulator_t<half>, float>);
static_assert(sizeof(half) == 2 && sizeof(bfloat16) == 2);
static_assert(half(1.5F).bits == 0x3e00 && static_cast<float>(half(-2.0F)) == -2.0F);
static_assert(bfloat16(1.5F).bits == 0x3fc0 && static_cast<float>(bfloat16(-2.0F)) == -2.0F);

/// A 16-bit format, by its definition.
template <class T>
struct Format;
template <>
struct Format<half> {
  static constexpr int mantissa = 10;
  static constexpr int bias = 15;
};
template <>
struct Format<bfloat16> {
  static constexpr int mantissa = 7;
  static constexpr int bias = 127;
};

template <class T>
constexpr unsigned infinity = 0x7fffU & ~((1U << Format<T>::mantissa) - 1);

/// What the magnitude `bits` stands for; infinity's pattern stands for the next power of two, as rounding sees it.
template <class T>
double value_of(unsigned bits) {
  const int exponent = static_cast<int>(bits >> Format<T>::mantissa);
  const int fraction = static_cast<int>(bits & ((1U << Format<T>::mantissa) - 1));
  const int leading = exponent > 0 ? 1 << Format<T>::mantissa : 0;
  return std::ldexp(leading + fraction, (exponent > 0 ? exponent : 1) - Format<T>::bias - Format<T>::mantissa);
}

/// The bits of the number of T nearest to `value`, ties to even, worked out in double.
template <class T>
unsigned nearest_bits(float value) {
  const unsigned sign = std::signbit(value) ? 0x8000U : 0U;
  const double magnitude = std::abs(static_cast<double>(value));
  if (magnitude >= value_of<T>(infinity<T>)) return sign | infinity<T>;
  const int exponent = std::max(magnitude > 0 ? std::ilogb(magnitude) : -2000, 1 - Format<T>::bias);
  const double unit = std::ldexp(1.0, exponent - Format<T>::mantissa);
  const auto steps = static_cast<unsigned>(std::nearbyint(magnitude / unit));
  return sign | (steps + (static_cast<unsigned>(exponent + Format<T>::bias - 1) << Format<T>::mantissa));
}

template <class T>
T from_bits(unsigned bits) {
  T x;
  x.bits = static_cast<std::uint16_t>(bits);
  return x;
}

}  // namespace

TEST_CASE_TEMPLATE("all 65536 patterns mean what the format says and come back from float", T, half, bfloat16) {
  int wrong = 0;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const float value = from_bits<T>(bits);
    const unsigned magnitude = bits & 0x7fffU;
    if (magnitude > infinity<T>) {
      const T back(value);
      wrong += !std::isnan(value) || (back.bits & 0x7fffU) <= infinity<T> || (back.bits ^ bits) >= 0x8000U;
      continue;
    }
    const double expected = magnitude == infinity<T> ? std::numeric_limits<double>::infinity() : value_of<T>(magnitude);
    wrong += static_cast<double>(std::abs(value)) != expected;
    wrong += std::signbit(value) != (bits >= 0x8000U);
    wrong += T(value).bits != bits;
  }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("halfway between any two neighbours rounds to the even one, beside it to the nearer", T, half,
                   bfloat16) {
  int wrong = 0;
  for (unsigned low = 0; low < infinity<T>; ++low) {
    const auto middle = static_cast<float>((value_of<T>(low) + value_of<T>(low + 1)) / 2);
    const unsigned even = low % 2 == 0 ? low : low + 1;
    wrong += T(middle).bits != even || T(-middle).bits != (even | 0x8000U);
    wrong += T(std::nextafter(middle, 0.0F)).bits != low;
    wrong += T(std::nextafter(middle, std::numeric_limits<float>::infinity())).bits != low + 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("random floats of every size round to the nearest", T, half, bfloat16) {
  int wrong = 0;
  for (std::uint64_t i = 0; i < 200000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(recal::random_bits(1, i)));
    if (std::isnan(value)) continue;
    wrong += T(value).bits != nearest_bits<T>(value);
  }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("what is NaN is known of every type", T, float, double, half, bfloat16) {
  CHECK(recal::is_nan(T(NAN)));
  CHECK(!recal::is_nan(T(INFINITY)));
  CHECK(!recal::is_nan(T(0.0F)));
}

TEST_CASE_TEMPLATE("NaN with the smallest payload stays NaN, infinities keep their sign", T, half, bfloat16) {
  CHECK(std::isnan(static_cast<float>(T(std::bit_cast<float>(0x7f800001U)))));
  CHECK(std::isnan(static_cast<float>(T(std::bit_cast<float>(0xffffffffU)))));
  CHECK(static_cast<float>(T(-std::numeric_limits<float>::infinity())) == -std::numeric_limits<float>::infinity());
  CHECK(static_cast<float>(T(std::numeric_limits<float>::max())) == std::numeric_limits<float>::infinity());
}
