// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace recal {

/// bfloat16: the upper half of a float. Storage only; arithmetic happens in float.
/// Rounds to nearest even; NaN stays NaN.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  constexpr explicit bfloat16(float value) noexcept {
    const auto u = std::bit_cast<std::uint32_t>(value);
    const bool nan = (u & 0x7fffffffU) > 0x7f800000U;
    const std::uint32_t rounded = u + 0x7fffU + ((u >> 16U) & 1U);
    bits = static_cast<std::uint16_t>((nan ? (u | 0x400000U) : rounded) >> 16U);
  }
  constexpr operator float() const noexcept {  // NOLINT(google-explicit-constructor): widening is exact
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
  }
};

/// IEEE binary16. Storage only; arithmetic happens in float.
/// Rounds to nearest even, overflows to infinity, keeps denormals; NaN stays NaN.
struct half {
  std::uint16_t bits = 0;

  half() = default;
  constexpr explicit half(float value) noexcept : bits(from_float(value)) {}
  constexpr operator float() const noexcept {  // NOLINT(google-explicit-constructor): widening is exact
    const std::uint32_t sign = (bits & 0x8000U) << 16U;
    const std::uint32_t magnitude = (bits & 0x7fffU) << 13U;
    const std::uint32_t exponent = magnitude & 0x0f800000U;
    if (exponent == 0x0f800000U) return std::bit_cast<float>(sign | magnitude | 0x7f800000U);
    // Rebias by multiplication: exact, and right for denormals too.
    const float scaled = std::bit_cast<float>(magnitude) * 0x1p+112F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(scaled));
  }

 private:
  static constexpr std::uint16_t from_float(float value) noexcept {
    const auto u = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (u >> 16U) & 0x8000U;
    const std::uint32_t magnitude = u & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U);
    if (magnitude >= 0x477ff000U) return static_cast<std::uint16_t>(sign | 0x7c00U);
    if (magnitude < 0x38800000U) {  // below the smallest normal half: let float addition round
      const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
      return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000U));
    }
    const std::uint32_t rounded = magnitude - 0x38000000U + 0xfffU + ((magnitude >> 13U) & 1U);
    return static_cast<std::uint16_t>(sign | (rounded >> 13U));
  }
};

/// The element types of tensors: float, double, half, bfloat16.
template <class T>
concept TensorScalar =
    std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, half> || std::same_as<T, bfloat16>;

/// What a tensor of T is summed and multiplied in: double for double, float for the rest.
template <TensorScalar T>
using accumulator_t = std::conditional_t<std::same_as<T, double>, double, float>;

/// Whether it is NaN: an element of any type, on the processor and the device, in loops that are to become packs.
template <TensorScalar T>
[[nodiscard]] constexpr bool is_nan(T value) noexcept {
  return value != value;  // NOLINT(misc-redundant-expression)
}

}  // namespace recal
