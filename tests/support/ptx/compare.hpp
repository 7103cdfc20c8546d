// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>

#include "tests/support/ptx/arithmetic.hpp"
#include "tests/support/ptx/instruction.hpp"

namespace recal::testing::ptx {

/// The plain comparisons are false where an operand is NaN, the unordered ones (equ, ...) true.
template <class T>
[[nodiscard]] bool holds(Compare compare, T a, T b) {
  const bool unordered = a != a || b != b;
  switch (compare) {
    case Compare::eq:
      return a == b;
    case Compare::ne:
      return !unordered && a != b;
    case Compare::lt:
      return a < b;
    case Compare::le:
      return a <= b;
    case Compare::gt:
      return a > b;
    case Compare::ge:
      return a >= b;
    case Compare::equ:
      return unordered || a == b;
    case Compare::neu:
      return a != b;
    case Compare::ltu:
      return !(a >= b);
    case Compare::leu:
      return !(a > b);
    case Compare::gtu:
      return !(a <= b);
    case Compare::geu:
      return !(a < b);
    case Compare::num:
      return !unordered;
    default:
      return unordered;
  }
}

[[nodiscard]] inline bool combined(const Instruction& i, const Thread& t, bool value) {
  if (i.combine == Combine::none) return value;
  const bool other = (get<Pred>(t, i.from[2]).bit != 0) != i.negated;
  switch (i.combine) {
    case Combine::both:
      return value && other;
    case Combine::either:
      return value || other;
    default:
      return value != other;
  }
}

template <class T>
[[nodiscard]] bool compared(const Instruction& i, const Thread& t) {
  const T a = get<T>(t, i.from[0]);
  const T b = get<T>(t, i.from[1]);
  if constexpr (Floating<T>)
    return holds(i.compare, widen(operand(i, a)), widen(operand(i, b)));
  else
    return holds(i.compare, a, b);
}

template <class T>
void set_predicate(const Instruction& i, Thread& t) {
  const bool result = compared<T>(i, t);
  const Pred first{combined(i, t, result)};
  const Pred second{combined(i, t, !result)};
  put(t, i.to, first);
  if (i.to_second != Instruction::nowhere) put(t, i.to_second, second);
}

/// set.lt.u32.f32: all ones; set.lt.f32.f32: 1
template <class D, class S>
void set_number(const Instruction& i, Thread& t) {
  const bool result = combined(i, t, compared<S>(i, t));
  if constexpr (std::same_as<D, float>)
    put(t, i.to, result ? 1.0F : 0.0F);
  else
    put(t, i.to, result ? ~0U : 0U);
}

template <class T>
void select(const Instruction& i, Thread& t) {
  put(t, i.to, get<T>(t, i.from[get<Pred>(t, i.from[2]).bit != 0 ? 0 : 1]));
}

/// slct d, a, b, c: a where c >= 0
template <class T, class C>
void select_by_sign(const Instruction& i, Thread& t) {
  put(t, i.to, get<T>(t, i.from[get<C>(t, i.from[2]) >= C{0} ? 0 : 1]));
}

enum class Test : std::uint8_t { finite, infinite, number, notanumber, normal, subnormal };

template <class T>
void test_property(const Instruction& i, Thread& t) {
  const T x = get<T>(t, i.from[0]);
  bool result = false;
  switch (static_cast<Test>(i.immediate)) {
    case Test::finite:
      result = std::isfinite(x);
      break;
    case Test::infinite:
      result = std::isinf(x);
      break;
    case Test::number:
      result = !std::isnan(x);
      break;
    case Test::notanumber:
      result = std::isnan(x);
      break;
    case Test::normal:
      result = std::isnormal(x);
      break;
    case Test::subnormal:
      result = std::fpclassify(x) == FP_SUBNORMAL;
      break;
  }
  put(t, i.to, Pred{result});
}

}  // namespace recal::testing::ptx
