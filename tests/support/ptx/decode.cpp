// SPDX-License-Identifier: Apache-2.0
#include "tests/support/ptx/decode.hpp"

#include <map>
#include <string>
#include <string_view>

#include "tests/support/ptx/decode_arithmetic.hpp"
#include "tests/support/ptx/decode_bits.hpp"
#include "tests/support/ptx/decode_memory.hpp"
#include "tests/support/ptx/decode_warp.hpp"

namespace recal::testing::ptx::decode {

namespace {

using Builder = void (*)(Decoder&);

/// Every instruction that is known.
[[nodiscard]] const std::map<std::string_view, Builder>& builders() {
  using SignedOrUnsigned = Types<std::uint16_t, std::uint32_t, std::uint64_t, Pred>;
  static const std::map<std::string_view, Builder> all{
      {"add", add_or_sub<Add, FloatAdd, false>},
      {"addc", add_or_sub<Add, FloatAdd, false>},
      {"sub", add_or_sub<Sub, FloatSub, true>},
      {"subc", add_or_sub<Sub, FloatSub, true>},
      {"mul", mul},
      {"mad", mad},
      {"madc", mad},
      {"fma", fma},
      {"div", div},
      {"rem", rem},
      {"min", min_or_max<Smaller, false>},
      {"max", min_or_max<Larger, true>},
      {"abs", sign<Abs, false>},
      {"neg", sign<Neg, true>},
      {"copysign", copysign},
      {"sqrt", approximate<FloatSqrt, 1>},
      {"rcp", reciprocal<FloatRcp>},
      {"rsqrt", reciprocal<FloatRsqrt>},
      {"ex2", approximate<FloatEx2, 1>},
      {"lg2", approximate<FloatLg2, 1>},
      {"sin", approximate<FloatSin, 1>},
      {"cos", approximate<FloatCos, 1>},
      {"tanh", approximate<FloatTanh, 1>},
      {"cvt", cvt},
      {"and", logic<And>},
      {"or", logic<Or>},
      {"xor", logic<Xor>},
      {"not", one_operand<Not, SignedOrUnsigned>},
      {"cnot", one_operand<CNot, BitTypes>},
      {"brev", one_operand<Reverse, Both32And64>},
      {"popc", count<PopCount>},
      {"clz", count<LeadingZeros>},
      {"bfind", bfind},
      {"shl", shl},
      {"shr", shr},
      {"shf", shf},
      {"bfe", bfe},
      {"bfi", bfi},
      {"prmt", prmt},
      {"lop3", lop3},
      {"setp", setp},
      {"set", set},
      {"selp", selp},
      {"slct", slct},
      {"testp", testp},
      {"ld", ld},
      {"ldu", ld},
      {"st", st},
      {"cvta", cvta},
      {"mov", mov},
      {"bra", bra},
      {"brx", brx},
      {"ret", ret},
      {"exit", ret},
      {"trap", trap},
      {"membar", fence},
      {"fence", fence},
      {"bar", bar},
      {"barrier", bar},
      {"shfl", shfl},
      {"vote", vote},
      {"match", match_or_reduce},
      {"redux", match_or_reduce},
  };
  return all;
}

}  // namespace

Decoder decoded(const Statement& statement, Function& function, const Symbols& symbols) {
  Decoder decoder(statement, function, symbols);
  const auto builder = builders().find(decoder.mnemonic());
  if (builder == builders().end()) decoder.refuse("unknown instruction '" + std::string(decoder.mnemonic()) + "'");
  builder->second(decoder);
  decoder.finish();
  return decoder;
}

}  // namespace recal::testing::ptx::decode
