// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tests/support/ptx/rounding.hpp"

namespace recal::testing::ptx {

__extension__ using Unsigned128 = unsigned __int128;
__extension__ using Signed128 = __int128;

enum class Type : std::uint8_t { none, pred, u8, u16, u32, u64, s8, s16, s32, s64, f16, bf16, f32, f64, f16x2, bf16x2 };

/// b32 is u32: bits and unsigned numbers are handled alike.
[[nodiscard]] inline Type type_named(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Type>, 19> names{{{"pred", Type::pred},
                                                                            {"u8", Type::u8},
                                                                            {"u16", Type::u16},
                                                                            {"u32", Type::u32},
                                                                            {"u64", Type::u64},
                                                                            {"b8", Type::u8},
                                                                            {"b16", Type::u16},
                                                                            {"b32", Type::u32},
                                                                            {"b64", Type::u64},
                                                                            {"s8", Type::s8},
                                                                            {"s16", Type::s16},
                                                                            {"s32", Type::s32},
                                                                            {"s64", Type::s64},
                                                                            {"f16", Type::f16},
                                                                            {"bf16", Type::bf16},
                                                                            {"f32", Type::f32},
                                                                            {"f64", Type::f64},
                                                                            {"f16x2", Type::f16x2},
                                                                            {"bf16x2", Type::bf16x2}}};
  for (const auto& [known, type] : names)
    if (known == name) return type;
  return Type::none;
}

/// A predicate; the 16-bit numbers; and two of those in one register.
struct Pred {
  std::uint8_t bit = 0;
};
struct Half {
  std::uint16_t bits = 0;
  static constexpr Format format = half_format;
};
struct Brain {
  std::uint16_t bits = 0;
  static constexpr Format format = brain_format;
};
template <class F>
struct Two {
  F low;
  F high;
};

template <class T>
inline constexpr Type type_of = Type::none;
template <>
inline constexpr Type type_of<Pred> = Type::pred;
template <>
inline constexpr Type type_of<std::uint8_t> = Type::u8;
template <>
inline constexpr Type type_of<std::uint16_t> = Type::u16;
template <>
inline constexpr Type type_of<std::uint32_t> = Type::u32;
template <>
inline constexpr Type type_of<std::uint64_t> = Type::u64;
template <>
inline constexpr Type type_of<std::int8_t> = Type::s8;
template <>
inline constexpr Type type_of<std::int16_t> = Type::s16;
template <>
inline constexpr Type type_of<std::int32_t> = Type::s32;
template <>
inline constexpr Type type_of<std::int64_t> = Type::s64;
template <>
inline constexpr Type type_of<Half> = Type::f16;
template <>
inline constexpr Type type_of<Brain> = Type::bf16;
template <>
inline constexpr Type type_of<float> = Type::f32;
template <>
inline constexpr Type type_of<double> = Type::f64;
template <>
inline constexpr Type type_of<Two<Half>> = Type::f16x2;
template <>
inline constexpr Type type_of<Two<Brain>> = Type::bf16x2;

template <class T>
concept Short = std::same_as<T, Half> || std::same_as<T, Brain>;
template <class T>
concept Floating = std::floating_point<T> || Short<T>;
template <class T>
inline constexpr bool is_two = std::same_as<T, Two<Half>> || std::same_as<T, Two<Brain>>;

[[nodiscard]] inline bool is_nan(double x) { return x != x; }

[[nodiscard]] inline double widen(double x) { return x; }
[[nodiscard]] inline double widen(Brain x) {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16U));
}
[[nodiscard]] inline double widen(Half x) {
  const int exponent = (x.bits >> 10) & 31;
  const int fraction = x.bits & 1023;
  double magnitude = std::ldexp(fraction + (exponent > 0 ? 1024 : 0), std::max(exponent, 1) - 25);
  if (exponent == 31)
    magnitude = fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  return std::copysign(magnitude, (x.bits & 0x8000U) != 0 ? -1.0 : 1.0);
}

/// x, which is a number of the format, in its bits. NaN becomes the canonical one.
template <class F>
[[nodiscard]] F encode(double x) {
  if constexpr (std::same_as<F, double>) {
    return x;
  } else if constexpr (std::same_as<F, float>) {
    return is_nan(x) ? std::bit_cast<float>(0x7fffffffU) : static_cast<float>(x);
  } else if constexpr (std::same_as<F, Brain>) {
    if (is_nan(x)) return {0x7fff};
    return {static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(x)) >> 16U)};
  } else {
    if (is_nan(x)) return {0x7fff};
    const unsigned sign = std::signbit(x) ? 0x8000U : 0U;
    const double magnitude = std::abs(x);
    if (magnitude > 65504) return {static_cast<std::uint16_t>(sign | 0x7c00U)};
    const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
    const auto fraction = static_cast<unsigned>(std::ldexp(magnitude, 10 - exponent));
    const unsigned biased = fraction < 1024 ? 0U : static_cast<unsigned>(exponent + 15);
    return {static_cast<std::uint16_t>(sign | (biased << 10U) | (fraction & 1023U))};
  }
}

/// An x from odd(), or an exact one, rounded to F.
template <class F>
[[nodiscard]] F narrow(double x, Rounding rounding) {
  if constexpr (std::same_as<F, double>)
    return x;
  else if constexpr (std::same_as<F, float>)
    return encode<F>(rounding == Rounding::nearest ? static_cast<double>(static_cast<float>(x))
                                                   : round_to(x, single_format, rounding));
  else
    return encode<F>(round_to(x, F::format, rounding));
}

using Slot = std::uint64_t;

template <class T>
[[nodiscard]] T read(const Slot& slot) {
  T value;
  std::memcpy(static_cast<void*>(&value), &slot, sizeof(T));
  return value;
}

/// Numbers that are shorter than the register are extended by their sign, everything else by zeros.
template <class T>
void write(Slot& slot, T value) {
  if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) {
    slot = static_cast<Slot>(static_cast<std::int64_t>(value));
  } else {
    slot = 0;
    std::memcpy(&slot, static_cast<const void*>(&value), sizeof(T));
  }
}

}  // namespace recal::testing::ptx
