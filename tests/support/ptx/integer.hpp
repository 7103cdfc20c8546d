// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "tests/support/ptx/instruction.hpp"

namespace recal::testing::ptx {

template <class T>
using Wide = std::conditional_t<
    sizeof(T) == 8, std::conditional_t<std::is_signed_v<T>, Signed128, Unsigned128>,
    std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>,
                       std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>>>;

template <std::integral T>
inline constexpr unsigned bits_of = sizeof(T) * 8;

/// The product in twice the bits.
template <class T>
[[nodiscard]] Wide<T> product(T a, T b) {
  return static_cast<Wide<T>>(static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b));
}

struct Add {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
};
struct Sub {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
  }
};
struct MulLow {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
};
struct MulHigh {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(product(a, b) >> bits_of<T>);
  }
};
/// Division by zero gives all ones, as on devices; the least number by -1 wraps.
struct Div {
  template <class T>
  static T of(T a, T b) {
    if (b == 0) return static_cast<T>(~T{0});
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return Sub::of(T{0}, a);
    return static_cast<T>(a / b);
  }
};
struct Rem {
  template <class T>
  static T of(T a, T b) {
    return b == 0 ? a : Sub::of(a, MulLow::of(Div::of(a, b), b));
  }
};
struct Smaller {
  template <class T>
  static T of(T a, T b) {
    return std::min(a, b);
  }
};
struct Larger {
  template <class T>
  static T of(T a, T b) {
    return std::max(a, b);
  }
};
struct And {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <class T>
  static T of(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};

template <class Op, class T>
void binary(const Instruction& i, Thread& t) {
  if constexpr (std::same_as<T, Pred>) {
    const auto a = get<Pred>(t, i.from[0]).bit;
    put(t, i.to, Pred{Op::template of<std::uint8_t>(a, get<Pred>(t, i.from[1]).bit)});
  } else {
    put(t, i.to, Op::template of<T>(get<T>(t, i.from[0]), get<T>(t, i.from[1])));
  }
}

struct Not {
  template <class T>
  static T of(T a) {
    return static_cast<T>(~a);
  }
};
struct CNot {
  template <class T>
  static T of(T a) {
    return T(a == 0 ? 1 : 0);
  }
};
struct Neg {
  template <class T>
  static T of(T a) {
    return Sub::of(T{0}, a);
  }
};
struct Abs {
  template <class T>
  static T of(T a) {
    return a < T{0} ? Neg::of(a) : a;
  }
};
struct Reverse {
  template <class T>
  static T of(T a) {
    T result = 0;
    for (unsigned bit = 0; bit < bits_of<T>; ++bit) result = static_cast<T>(result << 1U) | ((a >> bit) & 1U);
    return result;
  }
};

template <class Op, class T>
void unary(const Instruction& i, Thread& t) {
  if constexpr (std::same_as<T, Pred>)
    put(t, i.to, Pred{static_cast<std::uint8_t>(get<Pred>(t, i.from[0]).bit ^ 1U)});
  else
    put(t, i.to, Op::template of<T>(get<T>(t, i.from[0])));
}

/// popc, clz and bfind give 32 bits.
struct PopCount {
  template <class T>
  static std::uint32_t of(T a) {
    return static_cast<std::uint32_t>(std::popcount(a));
  }
};
struct LeadingZeros {
  template <class T>
  static std::uint32_t of(T a) {
    return static_cast<std::uint32_t>(std::countl_zero(a));
  }
};
template <class Op, class T>
void count_bits(const Instruction& i, Thread& t) {
  put(t, i.to, Op::template of<T>(get<T>(t, i.from[0])));
}

/// The highest bit that differs from the sign; all ones where there is none.
template <class T>
void find_bit(const Instruction& i, Thread& t) {
  using U = std::make_unsigned_t<T>;
  const T a = get<T>(t, i.from[0]);
  const U bits = static_cast<U>(std::is_signed_v<T> && a < T{0} ? static_cast<T>(~a) : a);
  const auto zeros = static_cast<std::uint32_t>(std::countl_zero(bits));
  const std::uint32_t position = bits_of<T> - 1 - zeros;
  put(t, i.to, bits == 0 ? ~0U : i.immediate != 0 ? zeros : position);
}

template <class T>
void mul_wide(const Instruction& i, Thread& t) {
  put(t, i.to, product(get<T>(t, i.from[0]), get<T>(t, i.from[1])));
}
template <class T>
void mad_wide(const Instruction& i, Thread& t) {
  const Wide<T> c = get<Wide<T>>(t, i.from[2]);
  put(t, i.to, Add::of(product(get<T>(t, i.from[0]), get<T>(t, i.from[1])), c));
}
template <class Op, class T>
void mad(const Instruction& i, Thread& t) {
  put(t, i.to, Add::of(Op::template of<T>(get<T>(t, i.from[0]), get<T>(t, i.from[1])), get<T>(t, i.from[2])));
}

/// add.cc, addc, sub.cc, subc, mad.cc, madc: a (+ or -) b with a carry or borrow in and out.
template <bool subtract, class T>
[[nodiscard]] T with_carry(const Instruction& i, Thread& t, T a, T b) {
  using U = std::make_unsigned_t<T>;
  const auto x = static_cast<Unsigned128>(static_cast<U>(a));
  const auto y = static_cast<Unsigned128>(static_cast<U>(b));
  const Unsigned128 carry = i.carry_in && t.carry ? 1U : 0U;
  const Unsigned128 result = subtract ? x - y - carry : x + y + carry;
  if (i.carry_out) t.carry = ((result >> bits_of<T>)&1U) != 0;
  return static_cast<T>(static_cast<U>(result));
}
template <bool subtract, class T>
void add_carry(const Instruction& i, Thread& t) {
  put(t, i.to, with_carry<subtract>(i, t, get<T>(t, i.from[0]), get<T>(t, i.from[1])));
}
template <class Op, class T>
void mad_carry(const Instruction& i, Thread& t) {
  const T low_or_high = Op::template of<T>(get<T>(t, i.from[0]), get<T>(t, i.from[1]));
  put(t, i.to, with_carry<false>(i, t, low_or_high, get<T>(t, i.from[2])));
}

/// Shifts by the register's width or more leave zeros, or signs.
template <class T>
void shift_left(const Instruction& i, Thread& t) {
  const auto by = get<std::uint32_t>(t, i.from[1]);
  put(t, i.to, by >= bits_of<T> ? T{0} : static_cast<T>(get<T>(t, i.from[0]) << by));
}
template <class T>
void shift_right(const Instruction& i, Thread& t) {
  const auto by = get<std::uint32_t>(t, i.from[1]);
  const T a = get<T>(t, i.from[0]);
  if constexpr (std::is_signed_v<T>)
    put(t, i.to, static_cast<T>(a >> std::min(by, bits_of<T> - 1)));
  else
    put(t, i.to, by >= bits_of<T> ? T{0} : static_cast<T>(a >> by));
}

/// shf: 32 bits out of the 64 in [b:a].
template <bool left, bool wrap>
void funnel_shift(const Instruction& i, Thread& t) {
  const std::uint64_t both =
      (static_cast<std::uint64_t>(get<std::uint32_t>(t, i.from[1])) << 32U) | get<std::uint32_t>(t, i.from[0]);
  const auto c = get<std::uint32_t>(t, i.from[2]);
  const unsigned by = wrap ? c & 31U : std::min(c, 32U);
  put(t, i.to, static_cast<std::uint32_t>(left ? (both << by) >> 32U : both >> by));
}

/// bfe d, a, position, length
template <class T>
void extract_bits(const Instruction& i, Thread& t) {
  const T a = get<T>(t, i.from[0]);
  const unsigned position = get<std::uint32_t>(t, i.from[1]) & 0xffU;
  const unsigned length = get<std::uint32_t>(t, i.from[2]) & 0xffU;
  const unsigned last = std::min(position + length - 1, bits_of<T> - 1);
  const bool sign = std::is_signed_v<T> && length > 0 && ((static_cast<std::uint64_t>(a) >> last) & 1U) != 0;
  T result = 0;
  for (unsigned bit = 0; bit < bits_of<T>; ++bit) {
    const bool inside = bit < length && position + bit < bits_of<T>;
    const bool one = inside ? ((static_cast<std::uint64_t>(a) >> (position + bit)) & 1U) != 0 : sign;
    if (one) result = static_cast<T>(static_cast<std::uint64_t>(result) | (std::uint64_t{1} << bit));
  }
  put(t, i.to, result);
}

/// bfi d, a, b, position, length: the low bits of a in b
template <class T>
void insert_bits(const Instruction& i, Thread& t) {
  const unsigned position = get<std::uint32_t>(t, i.from[2]) & 0xffU;
  const unsigned length = get<std::uint32_t>(t, i.from[3]) & 0xffU;
  T result = get<T>(t, i.from[1]);
  for (unsigned bit = 0; bit < length && position + bit < bits_of<T>; ++bit) {
    const T mask = static_cast<T>(T{1} << (position + bit));
    const bool one = ((get<T>(t, i.from[0]) >> bit) & 1U) != 0;
    result = static_cast<T>(one ? result | mask : result & ~mask);
  }
  put(t, i.to, result);
}

/// prmt d, a, b, selector: four of the eight bytes in [b:a]
inline void permute_bytes(const Instruction& i, Thread& t) {
  const std::uint64_t both =
      (static_cast<std::uint64_t>(get<std::uint32_t>(t, i.from[1])) << 32U) | get<std::uint32_t>(t, i.from[0]);
  const auto selector = get<std::uint32_t>(t, i.from[2]);
  std::uint32_t result = 0;
  for (unsigned byte = 0; byte < 4; ++byte) {
    const std::uint32_t choice = selector >> (4 * byte);
    auto chosen = static_cast<std::uint32_t>(both >> (8 * (choice & 7U))) & 0xffU;
    if ((choice & 8U) != 0) chosen = (chosen & 0x80U) != 0 ? 0xffU : 0U;
    result |= chosen << (8 * byte);
  }
  put(t, i.to, result);
}

/// lop3 d, a, b, c, table
inline void table_logic(const Instruction& i, Thread& t) {
  const auto a = get<std::uint32_t>(t, i.from[0]);
  const auto b = get<std::uint32_t>(t, i.from[1]);
  const auto c = get<std::uint32_t>(t, i.from[2]);
  const auto table = get<std::uint32_t>(t, i.from[3]);
  std::uint32_t result = 0;
  for (unsigned row = 0; row < 8; ++row)
    if (((table >> row) & 1U) != 0)
      result |= ((row & 4U) != 0 ? a : ~a) & ((row & 2U) != 0 ? b : ~b) & ((row & 1U) != 0 ? c : ~c);
  put(t, i.to, result);
}

}  // namespace recal::testing::ptx
