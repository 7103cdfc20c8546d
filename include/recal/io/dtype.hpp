// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <recal/core/error.hpp>
#include <recal/core/scalar.hpp>

namespace recal::io {

static_assert(std::endian::native == std::endian::little,
              "recal: safetensors are read and written on little-endian only");

/// The element types of safetensors files that recal understands, in the order in which the format ranks them.
enum class Dtype : std::uint8_t { boolean, u8, i8, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

namespace detail {

struct DtypeFacts {
  std::string_view name;
  std::size_t size;
};

inline constexpr std::array<DtypeFacts, 13> dtype_facts{{{"BOOL", 1},
                                                         {"U8", 1},
                                                         {"I8", 1},
                                                         {"I16", 2},
                                                         {"U16", 2},
                                                         {"F16", 2},
                                                         {"BF16", 2},
                                                         {"I32", 4},
                                                         {"U32", 4},
                                                         {"F32", 4},
                                                         {"F64", 8},
                                                         {"I64", 8},
                                                         {"U64", 8}}};

/// Calls f(std::type_identity<Element>{}) for the C++ type that stores `dtype`; booleans are bytes.
template <class F>
void with_element(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::boolean:
    case Dtype::u8:
      return f(std::type_identity<std::uint8_t>{});
    case Dtype::i8:
      return f(std::type_identity<std::int8_t>{});
    case Dtype::i16:
      return f(std::type_identity<std::int16_t>{});
    case Dtype::u16:
      return f(std::type_identity<std::uint16_t>{});
    case Dtype::f16:
      return f(std::type_identity<half>{});
    case Dtype::bf16:
      return f(std::type_identity<bfloat16>{});
    case Dtype::i32:
      return f(std::type_identity<std::int32_t>{});
    case Dtype::u32:
      return f(std::type_identity<std::uint32_t>{});
    case Dtype::f32:
      return f(std::type_identity<float>{});
    case Dtype::f64:
      return f(std::type_identity<double>{});
    case Dtype::i64:
      return f(std::type_identity<std::int64_t>{});
    case Dtype::u64:
      return f(std::type_identity<std::uint64_t>{});
  }
}

}  // namespace detail

/// The name in the file: "F32".
[[nodiscard]] inline std::string to_string(Dtype dtype) {
  return std::string(detail::dtype_facts[static_cast<std::size_t>(dtype)].name);
}

/// Bytes per element.
[[nodiscard]] constexpr std::size_t item_size(Dtype dtype) noexcept {
  return detail::dtype_facts[static_cast<std::size_t>(dtype)].size;
}

/// The type of that name, or nothing.
[[nodiscard]] constexpr std::optional<Dtype> parse_dtype(std::string_view name) noexcept {
  for (std::size_t i = 0; i < detail::dtype_facts.size(); ++i)
    if (detail::dtype_facts[i].name == name) return static_cast<Dtype>(i);
  return std::nullopt;
}

/// What tensors are read into and written from: TensorScalar and the fixed-width integers.
template <class T>
concept Element = TensorScalar<T> ||(std::integral<T> && !std::same_as<T, bool>);

/// The file type of C++ type T.
template <Element T>
[[nodiscard]] consteval Dtype dtype_of() {
  if constexpr (std::same_as<T, float>) return Dtype::f32;
  if constexpr (std::same_as<T, double>) return Dtype::f64;
  if constexpr (std::same_as<T, half>) return Dtype::f16;
  if constexpr (std::same_as<T, bfloat16>) return Dtype::bf16;
  if constexpr (std::integral<T>) {
    constexpr bool is_signed = std::is_signed_v<T>;
    if constexpr (sizeof(T) == 1) return is_signed ? Dtype::i8 : Dtype::u8;
    if constexpr (sizeof(T) == 2) return is_signed ? Dtype::i16 : Dtype::u16;
    if constexpr (sizeof(T) == 4) return is_signed ? Dtype::i32 : Dtype::u32;
    if constexpr (sizeof(T) == 8) return is_signed ? Dtype::i64 : Dtype::u64;
  }
}

/// Whether elements of `from` are read as T: floating point as floating point (rounding where T is narrower),
/// integers and booleans as integers (each value must fit).
template <Element T>
[[nodiscard]] constexpr bool convertible(Dtype from) noexcept {
  const bool floating = from == Dtype::f16 || from == Dtype::bf16 || from == Dtype::f32 || from == Dtype::f64;
  return floating == TensorScalar<T>;
}

namespace detail {

template <class T, class From>
[[nodiscard]] T convert_element(From value) {
  if constexpr (std::integral<T>)
    return static_cast<T>(value);
  else if constexpr (std::same_as<T, double> || std::same_as<T, float>)
    return static_cast<T>(value);
  else
    return T(static_cast<float>(value));
}

}  // namespace detail

/// out[i] = element i of `bytes`, converted.
/// requires: bytes.size() == out.size() * item_size(from)
/// error: T is of the other kind, or an integer does not fit; `what` names the tensor in the message
template <Element T>
void decode(std::string_view what, Dtype from, std::span<const std::byte> bytes, std::span<T> out) {
  check(convertible<T>(from), what, " is ", from, ", which is not read as ", dtype_of<T>());
  check(bytes.size() == out.size() * item_size(from), what, " has ", bytes.size(), " bytes, expected ",
        out.size() * item_size(from));
  detail::with_element(from, [&]<class From>(std::type_identity<From>) {
    if constexpr (TensorScalar<From> == TensorScalar<T>) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        From value;
        std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
        if constexpr (std::integral<T>)
          check(std::in_range<T>(value), what, " holds ", value, " at ", i, ", which does not fit ", dtype_of<T>());
        out[i] = detail::convert_element<T>(value);
      }
    }
  });
}

}  // namespace recal::io
