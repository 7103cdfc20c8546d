// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "tests/support/ptx/compare.hpp"
#include "tests/support/ptx/decoder.hpp"
#include "tests/support/ptx/integer.hpp"

namespace recal::testing::ptx::decode {

using BitsAndPred = Types<std::uint16_t, std::uint32_t, std::uint64_t, Pred>;
using Both32And64 = Types<std::uint32_t, std::uint64_t>;

template <class Op>
void logic(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.sources(2, type);
  if (d.out.negated) d.refuse("! has no place here");
  d.out.run = pick(BitsAndPred{}, type, []<class T>() -> Handler { return binary<Op, T>; });
}

template <class Op, class Allowed>
void one_operand(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.source(0, type);
  d.out.run = pick(Allowed{}, type, []<class T>() -> Handler { return unary<Op, T>; });
}

template <class Op>
void count(Decoder& d) {
  const Type type = d.type();
  d.to(Type::u32);
  d.source(0, type);
  d.out.run = pick(Both32And64{}, type, []<class T>() -> Handler { return count_bits<Op, T>; });
}

inline void bfind(Decoder& d) {
  d.out.immediate = d.take("shiftamt") ? 1 : 0;
  const Type type = d.type();
  d.to(Type::u32);
  d.source(0, type);
  d.out.run = pick(WideIntegers{}, type, []<class T>() -> Handler { return find_bit<T>; });
}

inline void shl(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.source(0, type);
  d.source(1, Type::u32);
  d.out.run = pick(BitTypes{}, type, []<class T>() -> Handler { return shift_left<T>; });
}

inline void shr(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.source(0, type);
  d.source(1, Type::u32);
  d.out.run = pick(Integers{}, type, []<class T>() -> Handler { return shift_right<T>; });
}

inline void shf(Decoder& d) {
  const bool left = d.take("l");
  if (!left && !d.take("r")) d.refuse("shf needs .l or .r");
  const bool wrap = d.take("wrap");
  if (!wrap && !d.take("clamp")) d.refuse("shf needs .wrap or .clamp");
  const Type type = d.type();
  d.to(type);
  d.sources(3, type);
  if (type != Type::u32) return;
  if (left)
    d.out.run = wrap ? funnel_shift<true, true> : funnel_shift<true, false>;
  else
    d.out.run = wrap ? funnel_shift<false, true> : funnel_shift<false, false>;
}

inline void bfe(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.source(0, type);
  d.source(1, Type::u32);
  d.source(2, Type::u32);
  d.out.run = pick(WideIntegers{}, type, []<class T>() -> Handler { return extract_bits<T>; });
}

inline void bfi(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.sources(2, type);
  d.source(2, Type::u32);
  d.source(3, Type::u32);
  d.out.run = pick(Both32And64{}, type, []<class T>() -> Handler { return insert_bits<T>; });
}

inline void prmt(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.sources(3, type);
  if (type == Type::u32) d.out.run = permute_bytes;
}

inline void lop3(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.sources(4, type);
  if (type == Type::u32 && d.out.to_second == Instruction::nowhere) d.out.run = table_logic;
}

/// .lt and its kind, then .and, .or or .xor with a predicate
inline void comparison(Decoder& d) {
  static constexpr std::array<std::pair<std::string_view, Compare>, 18> names{{{"eq", Compare::eq},
                                                                               {"ne", Compare::ne},
                                                                               {"lt", Compare::lt},
                                                                               {"le", Compare::le},
                                                                               {"gt", Compare::gt},
                                                                               {"ge", Compare::ge},
                                                                               {"lo", Compare::lt},
                                                                               {"ls", Compare::le},
                                                                               {"hi", Compare::gt},
                                                                               {"hs", Compare::ge},
                                                                               {"equ", Compare::equ},
                                                                               {"neu", Compare::neu},
                                                                               {"ltu", Compare::ltu},
                                                                               {"leu", Compare::leu},
                                                                               {"gtu", Compare::gtu},
                                                                               {"geu", Compare::geu},
                                                                               {"num", Compare::num},
                                                                               {"nan", Compare::nan}}};
  bool known = false;
  for (const auto& [name, compare] : names) {
    if (!d.take(name)) continue;
    d.out.compare = compare;
    known = true;
    break;
  }
  if (!known) d.refuse("unknown comparison '" + d.next_modifier() + "'");
  if (d.take("and")) d.out.combine = Combine::both;
  if (d.take("or")) d.out.combine = Combine::either;
  if (d.take("xor")) d.out.combine = Combine::differ;
  d.out.flush = d.take("ftz");
}

inline void compared_operands(Decoder& d, Type type) {
  if (!is_float(type) && d.out.compare >= Compare::equ) d.refuse("an unordered comparison of integers");
  d.sources(2, type);
  if (d.out.combine != Combine::none) d.source(2, Type::pred);
}

using Comparable = Types<std::uint16_t, std::uint32_t, std::uint64_t, std::int16_t, std::int32_t, std::int64_t, Half,
                         Brain, float, double>;

inline void setp(Decoder& d) {
  comparison(d);
  const Type type = d.type();
  d.to(Type::pred);
  compared_operands(d, type);
  d.out.run = pick(Comparable{}, type, []<class T>() -> Handler { return set_predicate<T>; });
}

inline void set(Decoder& d) {
  comparison(d);
  const Type result = d.type();
  const Type type = d.type();
  d.to(result);
  compared_operands(d, type);
  d.out.run = pick(Types<std::uint32_t, std::int32_t, float>{}, result, [&]<class D>() -> Handler {
    return pick(Comparable{}, type, []<class S>() -> Handler { return set_number<D, S>; });
  });
}

inline void selp(Decoder& d) {
  const Type type = d.type();
  d.to(type);
  d.sources(2, type);
  d.source(2, Type::pred);
  if (d.out.negated) d.refuse("! has no place here");
  d.out.run = pick(Comparable{}, type, []<class T>() -> Handler { return select<T>; });
}

inline void slct(Decoder& d) {
  d.out.flush = d.take("ftz");
  const Type type = d.type();
  const Type sign = d.type();
  d.to(type);
  d.sources(2, type);
  d.source(2, sign);
  d.out.run = pick(Comparable{}, type, [&]<class T>() -> Handler {
    return pick(Types<std::int32_t, float>{}, sign, []<class C>() -> Handler { return select_by_sign<T, C>; });
  });
}

inline void testp(Decoder& d) {
  static constexpr std::array<std::string_view, 6> names{"finite",     "infinite", "number",
                                                         "notanumber", "normal",   "subnormal"};
  bool known = false;
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (!d.take(names[k])) continue;
    d.out.immediate = static_cast<std::uint8_t>(k);
    known = true;
  }
  if (!known) d.refuse("unknown property");
  const Type type = d.type();
  d.to(Type::pred);
  d.source(0, type);
  d.out.run = pick(Types<float, double>{}, type, []<class T>() -> Handler { return test_property<T>; });
}

}  // namespace recal::testing::ptx::decode
