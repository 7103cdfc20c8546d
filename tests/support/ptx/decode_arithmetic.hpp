// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "tests/support/ptx/arithmetic.hpp"
#include "tests/support/ptx/convert.hpp"
#include "tests/support/ptx/decoder.hpp"
#include "tests/support/ptx/integer.hpp"

namespace recal::testing::ptx::decode {

template <class Op, std::size_t operands>
void float_op(Decoder& d, Type type) {
  d.to(type);
  d.sources(operands, type);
  d.out.run = pick(AllFloats{}, type, []<class T>() -> Handler { return float_operation<Op, T, operands>; });
}

/// div, sqrt, rcp, ex2 and the like: what a device approximates is exact here
template <class Op, std::size_t operands>
void approximate(Decoder& d) {
  d.take_any_of({"approx", "full"});
  d.arithmetic_modifiers();
  float_op<Op, operands>(d, d.type());
}

template <class Op>
void reciprocal(Decoder& d) {
  const bool approximated = d.take("approx");
  d.arithmetic_modifiers();
  const Type type = d.type();
  float_op<Op, 1>(d, type);
  if (approximated && type == Type::f64) d.out.run = upper_half_of<Op>;
}

inline void plain_integers_only(Decoder& d) {
  if (d.out.saturate || d.out.flush || d.out.rounding != Rounding::nearest) d.refuse("unknown modifier of integers");
}

template <class Op>
void integer_op(Decoder& d, Type type) {
  plain_integers_only(d);
  d.to(type);
  d.sources(2, type);
  d.out.run = pick(Integers{}, type, []<class T>() -> Handler { return binary<Op, T>; });
}

/// .cc writes the carry; addc, subc and madc read it
inline bool takes_carry(Decoder& d) {
  d.out.carry_in = d.mnemonic().ends_with('c');
  d.out.carry_out = d.take("cc");
  return d.out.carry_in || d.out.carry_out;
}

template <class IntegerOp, class FloatOp, bool subtract>
void add_or_sub(Decoder& d) {
  if (takes_carry(d)) {
    const Type type = d.type();
    d.to(type);
    d.sources(2, type);
    d.out.run = pick(WideIntegers{}, type, []<class T>() -> Handler { return add_carry<subtract, T>; });
    return;
  }
  d.arithmetic_modifiers();
  const Type type = d.type();
  is_float(type) ? float_op<FloatOp, 2>(d, type) : integer_op<IntegerOp>(d, type);
}

inline void mul(Decoder& d) {
  if (d.take("wide")) {
    const Type type = d.type();
    d.to(type);
    d.sources(2, type);
    d.out.run = pick(Types<std::uint16_t, std::uint32_t, std::int16_t, std::int32_t>{}, type,
                     []<class T>() -> Handler { return mul_wide<T>; });
  } else if (d.take("lo")) {
    integer_op<MulLow>(d, d.type());
  } else if (d.take("hi")) {
    integer_op<MulHigh>(d, d.type());
  } else {
    d.arithmetic_modifiers();
    const Type type = d.type();
    if (!is_float(type)) d.refuse("a product of integers needs .lo, .hi or .wide");
    float_op<FloatMul, 2>(d, type);
  }
}

template <class Op>
void mad_part(Decoder& d) {
  const bool carry = takes_carry(d);
  const Type type = d.type();
  d.to(type);
  d.sources(3, type);
  d.out.run = carry ? pick(WideIntegers{}, type, []<class T>() -> Handler { return mad_carry<Op, T>; })
                    : pick(Integers{}, type, []<class T>() -> Handler { return ptx::mad<Op, T>; });
}

inline void mad(Decoder& d) {
  if (d.take("wide")) {
    const Type type = d.type();
    d.to(type);
    d.sources(2, type);
    d.source(2, type == Type::u32 ? Type::u64 : Type::s64);
    d.out.run = pick(Types<std::uint16_t, std::uint32_t, std::int16_t, std::int32_t>{}, type,
                     []<class T>() -> Handler { return mad_wide<T>; });
  } else if (d.take("lo")) {
    mad_part<MulLow>(d);
  } else if (d.take("hi")) {
    mad_part<MulHigh>(d);
  } else {
    d.refuse("mad needs .lo, .hi or .wide");
  }
}

inline void fma(Decoder& d) {
  d.arithmetic_modifiers();
  float_op<FloatFma, 3>(d, d.type());
}

inline void div(Decoder& d) {
  d.take_any_of({"approx", "full"});
  d.arithmetic_modifiers();
  const Type type = d.type();
  is_float(type) ? float_op<FloatDiv, 2>(d, type) : integer_op<Div>(d, type);
}

inline void rem(Decoder& d) { integer_op<Rem>(d, d.type()); }

template <class IntegerOp, bool largest>
void min_or_max(Decoder& d) {
  const bool nan_wins = d.take("NaN");
  d.out.flush = d.take("ftz");
  const Type type = d.type();
  if (!is_float(type)) return integer_op<IntegerOp>(d, type);
  d.to(type);
  d.sources(2, type);
  d.out.run = pick(AllFloats{}, type, [&]<class T>() -> Handler {
    return nan_wins ? extreme<FloatExtreme<largest, true>, T> : extreme<FloatExtreme<largest, false>, T>;
  });
}

template <class IntegerOp, bool negate>
void sign(Decoder& d) {
  d.out.flush = d.take("ftz");
  const Type type = d.type();
  d.to(type);
  d.source(0, type);
  d.out.run = is_float(type) ? pick(AllFloats{}, type, []<class T>() -> Handler { return change_sign<T, negate>; })
                             : pick(Types<std::int16_t, std::int32_t, std::int64_t>{}, type,
                                    []<class T>() -> Handler { return unary<IntegerOp, T>; });
}

inline void copysign(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.sources(2, type);
  d.out.run = pick(Types<float, double>{}, type, []<class T>() -> Handler { return copy_sign<T>; });
}

/// .rni and its kind round to an integer
inline bool take_integer_rounding(Decoder& d) {
  if (d.take("rni")) return true;
  const bool zero = d.take("rzi");
  const bool down = d.take("rmi");
  const bool up = d.take("rpi");
  if (zero) d.out.rounding = Rounding::zero;
  if (down) d.out.rounding = Rounding::down;
  if (up) d.out.rounding = Rounding::up;
  return zero || down || up;
}

inline void cvt(Decoder& d) {
  const bool to_integer = take_integer_rounding(d);
  if (!to_integer) d.arithmetic_modifiers();
  d.out.flush = d.take("ftz") || d.out.flush;
  d.out.saturate = d.take("sat") || d.out.saturate;
  d.out.immediate = to_integer ? 1 : 0;
  const Type result = d.type();
  const Type given = d.type();
  d.to(result);
  if (result == Type::f16x2 || result == Type::bf16x2) {
    d.sources(2, given);
    if (given == Type::f32) d.out.run = result == Type::f16x2 ? convert_two<Half> : convert_two<Brain>;
    return;
  }
  if (is_float(given) && !is_float(result) && !to_integer) d.refuse("a conversion to integers needs .rni or its kind");
  if (to_integer && is_float(result) && result != given) d.refuse("unknown modifier of a conversion");
  d.source(0, given);
  using All = Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, std::int8_t, std::int16_t, std::int32_t,
                    std::int64_t, Half, Brain, float, double>;
  d.out.run = pick(All{}, result, [&]<class D>() -> Handler {
    return pick(All{}, given, []<class S>() -> Handler { return convert<D, S>; });
  });
}

}  // namespace recal::testing::ptx::decode
