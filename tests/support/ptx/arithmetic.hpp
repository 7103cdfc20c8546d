// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "tests/support/ptx/instruction.hpp"

namespace recal::testing::ptx {

/// An operation of floating point: what it gives in the processor's own rounding, and in double rounded to odd.
struct FloatAdd {
  template <class F>
  static F plain(F a, F b) {
    return a + b;
  }
  static double odd(Rounding r, double a, double b) { return odd_sum(a, b, r); }
};
struct FloatSub {
  template <class F>
  static F plain(F a, F b) {
    return a - b;
  }
  static double odd(Rounding r, double a, double b) { return odd_sum(a, -b, r); }
};
struct FloatMul {
  template <class F>
  static F plain(F a, F b) {
    return a * b;
  }
  static double odd(Rounding, double a, double b) { return a * b; }
};
struct FloatFma {
  template <class F>
  static F plain(F a, F b, F c) {
    return std::fma(a, b, c);
  }
  static double odd(Rounding r, double a, double b, double c) { return odd_sum(a * b, c, r); }
};
struct FloatDiv {
  template <class F>
  static F plain(F a, F b) {
    return a / b;
  }
  static double odd(Rounding, double a, double b) { return odd_quotient(a, b); }
};
struct FloatSqrt {
  template <class F>
  static F plain(F a) {
    return std::sqrt(a);
  }
  static double odd(Rounding, double a) { return odd_root(a); }
};
struct FloatRcp {
  template <class F>
  static F plain(F a) {
    return F(1) / a;
  }
  static double odd(Rounding, double a) { return odd_quotient(1, a); }
};

/// What a device only approximates, to full precision.
struct FloatRsqrt {
  template <class F>
  static F plain(F a) {
    return static_cast<F>(1 / std::sqrt(static_cast<double>(a)));
  }
  static double odd(Rounding, double a) { return 1 / std::sqrt(a); }
};
struct FloatEx2 {
  template <class F>
  static F plain(F a) {
    return static_cast<F>(std::exp2(static_cast<double>(a)));
  }
  static double odd(Rounding, double a) { return std::exp2(a); }
};
struct FloatLg2 {
  template <class F>
  static F plain(F a) {
    return static_cast<F>(std::log2(static_cast<double>(a)));
  }
  static double odd(Rounding, double a) { return std::log2(a); }
};
struct FloatSin {
  template <class F>
  static F plain(F a) {
    return static_cast<F>(std::sin(static_cast<double>(a)));
  }
  static double odd(Rounding, double a) { return std::sin(a); }
};
struct FloatCos {
  template <class F>
  static F plain(F a) {
    return static_cast<F>(std::cos(static_cast<double>(a)));
  }
  static double odd(Rounding, double a) { return std::cos(a); }
};
struct FloatTanh {
  template <class F>
  static F plain(F a) {
    return static_cast<F>(std::tanh(static_cast<double>(a)));
  }
  static double odd(Rounding, double a) { return std::tanh(a); }
};

[[nodiscard]] inline float flushed(float x) {
  return std::abs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0F, x) : x;
}

template <class Op, class... X>
[[nodiscard]] double directed(Rounding rounding, X... x) {
  return with_rounding(rounding, [&] {
    const volatile double operands[] = {x...};
    const volatile double result = [&]<std::size_t... N>(std::index_sequence<N...>) {
      return Op::plain(static_cast<double>(operands[N])...);
    }
    (std::index_sequence_for<X...>{});
    return result;
  });
}

[[nodiscard]] inline float operand(const Instruction& i, float x) { return i.flush ? flushed(x) : x; }
template <Floating F>
[[nodiscard]] F operand(const Instruction&, F x) {
  return x;
}

/// As the instruction rounds, flushes and saturates; NaN in the form of a device.
template <class Op, Floating F, class... X>
[[nodiscard]] F compute(const Instruction& i, X... x) {
  if constexpr (std::same_as<F, double>) {
    return i.rounding == Rounding::nearest ? Op::plain(x...) : directed<Op>(i.rounding, x...);
  } else {
    double result = 0;
    if constexpr (std::same_as<F, float>) {
      const float nearest = Op::plain(operand(i, x)...);
      if (i.rounding == Rounding::nearest && !i.flush && !i.saturate && !is_nan(nearest)) return nearest;
      result = nearest;
      if (i.rounding != Rounding::nearest)
        result = narrow<float>(Op::odd(i.rounding, static_cast<double>(operand(i, x))...), i.rounding);
      if (i.flush) result = flushed(static_cast<float>(result));
    } else {
      result = widen(narrow<F>(Op::odd(i.rounding, widen(x)...), i.rounding));
    }
    if (i.saturate) result = result > 0 ? std::min(result, 1.0) : 0.0;
    return encode<F>(result);
  }
}

template <class Op, class T, std::size_t... N>
void float_operation(const Instruction& i, Thread& t, std::index_sequence<N...>) {
  if constexpr (is_two<T>) {
    using F = decltype(T::low);
    put(t, i.to, T{compute<Op, F>(i, get<T>(t, i.from[N]).low...), compute<Op, F>(i, get<T>(t, i.from[N]).high...)});
  } else {
    put(t, i.to, compute<Op, T>(i, get<T>(t, i.from[N])...));
  }
}
template <class Op, class T, std::size_t operands>
void float_operation(const Instruction& i, Thread& t) {
  float_operation<Op, T>(i, t, std::make_index_sequence<operands>{});
}

/// min and max: the number where one operand is NaN, and -0 below 0.
template <bool largest, bool nan_wins>
struct FloatExtreme {
  template <Floating F>
  static F of(F a, F b) {
    const double x = widen(a);
    const double y = widen(b);
    if (is_nan(x) || is_nan(y)) {
      if (nan_wins || (is_nan(x) && is_nan(y))) return encode<F>(std::numeric_limits<double>::quiet_NaN());
      return is_nan(x) ? b : a;
    }
    const bool first_is_less = x < y || (x == y && std::signbit(x));
    return first_is_less != largest ? a : b;
  }
};

template <class Op, class T>
void extreme(const Instruction& i, Thread& t) {
  const T a = get<T>(t, i.from[0]);
  const T b = get<T>(t, i.from[1]);
  if constexpr (is_two<T>) {
    put(t, i.to, T{Op::of(a.low, b.low), Op::of(a.high, b.high)});
  } else if constexpr (std::same_as<T, float>) {
    put(t, i.to, Op::of(operand(i, a), operand(i, b)));
  } else {
    put(t, i.to, Op::of(a, b));
  }
}

/// abs and neg touch the sign alone.
template <class T, bool negate>
void change_sign(const Instruction& i, Thread& t) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;
  Bits sign = static_cast<Bits>(Bits{1} << (sizeof(T) * 8 - 1));
  if constexpr (is_two<T>) sign = 0x80008000U;
  Bits bits = get<Bits>(t, i.from[0]);
  if constexpr (std::same_as<T, float>) bits = std::bit_cast<Bits>(operand(i, std::bit_cast<float>(bits)));
  put(t, i.to, static_cast<Bits>(negate ? bits ^ sign : bits & static_cast<Bits>(~sign)));
}

/// copysign d, a, b: the size of b with the sign of a.
template <class T>
void copy_sign(const Instruction& i, Thread& t) {
  put(t, i.to, std::copysign(get<T>(t, i.from[1]), get<T>(t, i.from[0])));
}

/// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 see and give the upper half of a double.
template <class Op>
void upper_half_of(const Instruction& i, Thread& t) {
  constexpr std::uint64_t upper = 0xffffffff00000000ULL;
  const double x = std::bit_cast<double>(t.slots[i.from[0]] & upper);
  const bool tiny = std::abs(x) < std::numeric_limits<double>::min();
  const double result = Op::plain(tiny ? std::copysign(0.0, x) : x);
  const bool gone = std::abs(result) < std::numeric_limits<double>::min();
  t.slots[i.to] = std::bit_cast<std::uint64_t>(gone ? std::copysign(0.0, result) : result) & upper;
}

}  // namespace recal::testing::ptx
