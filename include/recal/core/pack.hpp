// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstring>
#include <type_traits>

#include <recal/core/scalar.hpp>
#include <recal/core/shape.hpp>

#ifdef __AVX__
#include <immintrin.h>
#endif

namespace recal {

/// L numbers that are worked on at once, in one register. Written against the vector extension of
/// GCC and Clang, so it follows whatever instruction set the translation unit is compiled for.
/// Policies never name it: they are written on a scalar type A and are instantiated with Pack too.
template <class T, int L>
struct Pack {
  using Native [[gnu::vector_size(sizeof(T) * L)]] = T;
  static constexpr int lanes = L;
  Native v;

  Pack() = default;
  constexpr explicit Pack(Native native) noexcept : v(native) {}
  /// Every lane holds `value`. Written as value - 0, which is value for every value; 0 + value would be an addition.
  template <class Number>
    requires std::is_arithmetic_v<Number>
  constexpr Pack(Number value) noexcept : v(static_cast<T>(value) - Native{}) {}  // NOLINT(google-explicit-constructor)

  friend constexpr Pack operator+(Pack a, Pack b) noexcept { return Pack(a.v + b.v); }
  friend constexpr Pack operator-(Pack a, Pack b) noexcept { return Pack(a.v - b.v); }
  friend constexpr Pack operator*(Pack a, Pack b) noexcept { return Pack(a.v * b.v); }
  friend constexpr Pack operator/(Pack a, Pack b) noexcept { return Pack(a.v / b.v); }
  friend constexpr Pack operator-(Pack a) noexcept { return Pack(-a.v); }
  constexpr Pack& operator+=(Pack b) noexcept { return v += b.v, *this; }
  constexpr Pack& operator-=(Pack b) noexcept { return v -= b.v, *this; }
  constexpr Pack& operator*=(Pack b) noexcept { return v *= b.v, *this; }
};

/// The larger one, lane by lane.
template <class T, int L>
[[nodiscard]] constexpr Pack<T, L> max(Pack<T, L> a, Pack<T, L> b) noexcept {
  return Pack<T, L>(a.v > b.v ? a.v : b.v);
}
template <std::floating_point T>
[[nodiscard]] constexpr T max(T a, T b) noexcept {
  return a > b ? a : b;
}

/// The smaller one, lane by lane.
template <class T, int L>
[[nodiscard]] constexpr Pack<T, L> min(Pack<T, L> a, Pack<T, L> b) noexcept {
  return Pack<T, L>(a.v < b.v ? a.v : b.v);
}
template <std::floating_point T>
[[nodiscard]] constexpr T min(T a, T b) noexcept {
  return a < b ? a : b;
}

/// a * b + c in one expression: rounded the same way, once where the machine can, for packs and for what is left over.
template <class T, int L>
[[nodiscard]] constexpr Pack<T, L> multiply_add(Pack<T, L> a, Pack<T, L> b, Pack<T, L> c) noexcept {
  return Pack<T, L>(a.v * b.v + c.v);
}
template <std::floating_point T>
[[nodiscard]] constexpr T multiply_add(T a, T b, T c) noexcept {
  return a * b + c;
}

/// The square root, lane by lane.
template <std::floating_point T, int L>
[[nodiscard]] Pack<T, L> sqrt(Pack<T, L> a) noexcept {
  // Of a loop GCC makes one root after the other, for each could set errno.
#ifdef __AVX512F__
  if constexpr (std::same_as<T, double> && L == 8)  // of _mm512_sqrt_pd g++ 12 warns
    return Pack<T, L>(typename Pack<T, L>::Native(_mm512_maskz_sqrt_pd(0xFF, a.v)));
#endif
#ifdef __AVX__
  if constexpr (std::same_as<T, double> && L == 4) return Pack<T, L>(typename Pack<T, L>::Native(_mm256_sqrt_pd(a.v)));
#endif
  Pack<T, L> root;
  for (int lane = 0; lane < L; ++lane) root.v[lane] = std::sqrt(a.v[lane]);
  return root;
}

/// `value` where `gate` > 0, else 0: ReLU's backward, lane by lane.
template <class T, int L>
[[nodiscard]] constexpr Pack<T, L> where_positive(Pack<T, L> gate, Pack<T, L> value) noexcept {
  return Pack<T, L>(gate.v > 0 ? value.v : typename Pack<T, L>::Native{});
}
template <std::floating_point T>
[[nodiscard]] constexpr T where_positive(T gate, T value) noexcept {
  return gate > 0 ? value : T{};
}

/// `negative` where `sign` < 0, else `positive`, lane by lane.
template <class T, int L>
[[nodiscard]] constexpr Pack<T, L> choose_positive(Pack<T, L> sign, Pack<T, L> positive, Pack<T, L> negative) noexcept {
  return Pack<T, L>(sign.v < 0 ? negative.v : positive.v);
}
template <std::floating_point T>
[[nodiscard]] constexpr T choose_positive(T sign, T positive, T negative) noexcept {
  return sign < 0 ? negative : positive;
}

/// How many lanes are not 0.
template <class T, int L>
[[nodiscard]] constexpr int count_nonzero(Pack<T, L> a) noexcept {
  int count = 0;
  for (int lane = 0; lane < L; ++lane) count += a.v[lane] != 0;
  return count;
}
template <std::floating_point T>
[[nodiscard]] constexpr int count_nonzero(T a) noexcept {
  return a != 0;
}

#if defined(__AVX512F__)
inline constexpr int register_bytes = 64;
#elif defined(__AVX__)
inline constexpr int register_bytes = 32;
#else
inline constexpr int register_bytes = 16;
#endif

/// The pack that fills one register with T's accumulator type.
template <TensorScalar T>
using pack_for = Pack<accumulator_t<T>, register_bytes / static_cast<int>(sizeof(accumulator_t<T>))>;

/// A scalar or a pack from memory, widened to the accumulator type.
template <class A, class T>
[[nodiscard]] inline A load(const T* from) noexcept {
  if constexpr (std::is_arithmetic_v<A>) {
    return static_cast<A>(*from);
  } else if constexpr (sizeof(A) == sizeof(T) * A::lanes) {
    A a;
    std::memcpy(&a.v, from, sizeof(A));
    return a;
  } else if constexpr (std::is_arithmetic_v<T>) {
    typename Pack<T, A::lanes>::Native narrow;
    std::memcpy(&narrow, from, sizeof(narrow));
    A a;  // one conversion a register; of __builtin_convertvector to more bytes g++ 12 makes several
    for (int lane = 0; lane < A::lanes; ++lane)
      a.v[lane] = static_cast<std::remove_cvref_t<decltype(a.v[0])>>(narrow[lane]);
    return a;
  } else {
    A a;
    for (int lane = 0; lane < A::lanes; ++lane) a.v[lane] = static_cast<float>(from[lane]);
    return a;
  }
}

/// A scalar or a pack to memory, narrowed to the tensor's type.
template <class T, class A>
inline void store(T* to, A a) noexcept {
  if constexpr (std::is_arithmetic_v<A>) {
    if constexpr (std::is_arithmetic_v<T>)
      *to = static_cast<T>(a);
    else
      *to = T(static_cast<float>(a));
  } else if constexpr (sizeof(A) == sizeof(T) * A::lanes) {
    std::memcpy(to, &a.v, sizeof(A));
  } else if constexpr (std::is_arithmetic_v<T>) {
    const auto narrow = __builtin_convertvector(a.v, typename Pack<T, A::lanes>::Native);
    std::memcpy(to, &narrow, sizeof(narrow));
  } else {
    for (int lane = 0; lane < A::lanes; ++lane) to[lane] = T(static_cast<float>(a.v[lane]));
  }
}

/// `a` as the nearest numbers that a T can be.
template <class T, class A>
[[nodiscard]] inline A rounded_to(A a) noexcept {
  if constexpr (std::is_arithmetic_v<A>) {
    return static_cast<A>(static_cast<T>(a));
  } else {
    T narrow[A::lanes];
    store(&narrow[0], a);
    return load<A>(&narrow[0]);
  }
}

}  // namespace recal
