// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "tests/support/ptx/arithmetic.hpp"
#include "tests/support/ptx/instruction.hpp"

namespace recal::testing::ptx {

/// Integers to integers: cut, or clamped with .sat.
template <std::integral D, std::integral S>
[[nodiscard]] D integer_to_integer(const Instruction& i, S x) {
  if (!i.saturate) return static_cast<D>(x);
  const auto least = static_cast<Signed128>(std::numeric_limits<D>::min());
  const auto most = static_cast<Signed128>(std::numeric_limits<D>::max());
  return static_cast<D>(std::clamp(static_cast<Signed128>(x), least, most));
}

/// Always clamps. NaN is 0; from or to 64 bits it is the highest bit.
template <std::integral D, Floating S>
[[nodiscard]] D float_to_integer(const Instruction& i, S x) {
  const double value = to_integer(widen(operand(i, x)), i.rounding);
  if (is_nan(value)) {
    const bool wide = std::same_as<S, double> || sizeof(D) == 8;
    return wide ? static_cast<D>(std::uint64_t{1} << (sizeof(D) * 8 - 1)) : D{0};
  }
  constexpr double beyond = 0x1p63 * (std::is_signed_v<D> ? 1 : 2);
  const double end = std::ldexp(beyond, static_cast<int>(sizeof(D)) * 8 - 64);
  if (value >= end) return std::numeric_limits<D>::max();
  if (value < static_cast<double>(std::numeric_limits<D>::min())) return std::numeric_limits<D>::min();
  return static_cast<D>(value);
}

template <Floating D, std::integral S>
[[nodiscard]] D integer_to_float(const Instruction& i, S x) {
  const double high = std::ldexp(static_cast<double>(x >> (sizeof(S) * 4)), static_cast<int>(sizeof(S)) * 4);
  const auto low = static_cast<double>(x & static_cast<S>((std::uint64_t{1} << (sizeof(S) * 4)) - 1));
  double result = 0;
  if constexpr (std::same_as<D, double>)
    result = i.rounding == Rounding::nearest ? high + low : directed<FloatAdd>(i.rounding, high, low);
  else
    result = widen(narrow<D>(odd_sum(high, low, Rounding::nearest), i.rounding));
  if (i.saturate) result = std::clamp(result, 0.0, 1.0);
  return encode<D>(result);
}

/// immediate 1: to an integer of the same format (.rni and its kind)
template <Floating D, Floating S>
[[nodiscard]] D float_to_float(const Instruction& i, S x) {
  double value = widen(operand(i, x));
  value = i.immediate != 0 ? std::copysign(to_integer(value, i.rounding), value) : value;
  double result = widen(narrow<D>(value, i.rounding));
  if constexpr (std::same_as<D, double> && std::same_as<S, double>) result = value;
  if constexpr (std::same_as<D, float>)
    if (i.flush) result = flushed(static_cast<float>(result));
  if (i.saturate) result = result > 0 ? std::min(result, 1.0) : 0.0;
  return encode<D>(result);
}

template <class D, class S>
void convert(const Instruction& i, Thread& t) {
  const S x = get<S>(t, i.from[0]);
  if constexpr (std::integral<D> && std::integral<S>)
    put(t, i.to, integer_to_integer<D>(i, x));
  else if constexpr (std::integral<D>)
    put(t, i.to, float_to_integer<D>(i, x));
  else if constexpr (std::integral<S>)
    put(t, i.to, integer_to_float<D>(i, x));
  else
    put(t, i.to, float_to_float<D>(i, x));
}

/// cvt.rn.f16x2.f32 d, a, b: a in the upper half
template <class F>
void convert_two(const Instruction& i, Thread& t) {
  const double a = widen(get<float>(t, i.from[0]));
  const double b = widen(get<float>(t, i.from[1]));
  put(t, i.to, Two<F>{narrow<F>(b, i.rounding), narrow<F>(a, i.rounding)});
}

}  // namespace recal::testing::ptx
