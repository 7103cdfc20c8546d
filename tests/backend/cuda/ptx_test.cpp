// SPDX-License-Identifier: Apache-2.0
// The PTX interpreter on snippets: each family of instructions against the PTX ISA's own words, and every fault it
// reports.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/scalar.hpp>

#include "tests/support/ptx/machine.hpp"
#include "tests/support/ptx/snippet.hpp"

using namespace recal;
using namespace recal::testing::ptx;
using doctest::Contains;

namespace {

using I16 = std::int16_t;
using I32 = std::int32_t;
using I64 = std::int64_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

constexpr float nan32 = std::numeric_limits<float>::quiet_NaN();
constexpr double nan64 = std::numeric_limits<double>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr I32 least32 = std::numeric_limits<I32>::min();
constexpr I64 least64 = std::numeric_limits<I64>::min();

U32 bits(float x) { return std::bit_cast<U32>(x); }

/// The result in %p as 0 or 1.
template <class... Arguments>
bool holds_for(const std::string& snippet, Arguments... arguments) {
  return evaluate<U32>(snippet + "selp.u32 %result, 1, 0, %p;", arguments...) == 1;
}

std::vector<U32> lanes(U32 (*of)(U32), U32 count = 32) {
  std::vector<U32> all;
  for (U32 lane = 0; lane < count; ++lane) all.push_back(of(lane));
  return all;
}

/// CHECKs that text is refused with these words when it is read.
void check_refused(const std::string& text, const char* words) {
  CHECK_THROWS_WITH_AS((void)Program(text), Contains(words), recal::error);
}

}  // namespace

TEST_CASE("sums and products of integers wrap, and have upper halves") {
  CHECK(evaluate<I32>("add.s32 %result, %a, %b;", std::numeric_limits<I32>::max(), 1) == least32);
  CHECK(evaluate<I64>("sub.s64 %result, %a, 5;", I64{3}) == -2);
  CHECK(evaluate<I16>("add.s16 %result, %a, -1;", I16{0}) == -1);
  CHECK(evaluate<U32>("mul.lo.u32 %result, %a, %b;", 0x10001U, 0x10001U) == 0x20001U);
  CHECK(evaluate<I32>("mul.hi.s32 %result, %a, %b;", least32, 2) == -1);
  CHECK(evaluate<U32>("mul.hi.u32 %result, %a, %b;", 0x80000000U, 2U) == 1U);
  CHECK(evaluate<I64>("mul.hi.s64 %result, %a, %b;", least64, least64) == I64{1} << 62);
  CHECK(evaluate<U64>("mul.hi.u64 %result, %a, %b;", ~U64{0}, ~U64{0}) == ~U64{0} - 1);
  CHECK(evaluate<I64>("mul.wide.s32 %result, %a, %b;", -3, 5) == -15);
  CHECK(evaluate<U64>("mul.wide.u32 %result, %a, %b;", ~0U, ~0U) == U64{0xfffffffe00000001});
  CHECK(evaluate<I32>("mul.wide.s16 %result, %a, %b;", I16{-300}, I16{300}) == -90000);
  CHECK(evaluate<I32>("mad.lo.s32 %result, %a, %b, %c;", 7, -6, 2) == -40);
  CHECK(evaluate<I32>("mad.hi.s32 %result, %a, %b, %c;", 1 << 30, 8, 1) == 3);
  CHECK(evaluate<I64>("mad.wide.s32 %result, %a, %b, %c;", -2, 3, I64{1} << 40) == (I64{1} << 40) - 6);
}

TEST_CASE("128 bits by carries") {
  const char* low = "add.cc.u64 %result, %a, %c; addc.u64 %z0, %b, %d;";
  CHECK(evaluate<U64>(low, ~U64{0}, U64{1}, U64{2}, U64{3}) == 1);
  const char* high = "add.cc.u64 %z0, %a, %c; addc.cc.u64 %result, %b, %d;";
  CHECK(evaluate<U64>(high, ~U64{0}, U64{1}, U64{2}, U64{3}) == 5);
  CHECK(evaluate<U32>("sub.cc.u32 %y0, %a, %b; subc.u32 %result, %c, %d;", 0U, 1U, 10U, 3U) == 6);
  CHECK(evaluate<U32>("mad.lo.cc.u32 %y0, %a, %b, %c; madc.hi.u32 %result, %a, %b, %d;", ~0U, ~0U, ~0U, 0U) == ~0U);
}

TEST_CASE("division of integers goes towards zero") {
  CHECK(evaluate<I32>("div.s32 %result, %a, %b;", -7, 2) == -3);
  CHECK(evaluate<I32>("rem.s32 %result, %a, %b;", -7, 2) == -1);
  CHECK(evaluate<I64>("div.s64 %result, %a, %b;", least64, I64{-1}) == least64);
  CHECK(evaluate<I64>("rem.s64 %result, %a, %b;", I64{-9}, I64{4}) == -1);
  CHECK(evaluate<U32>("div.u32 %result, %a, %b;", ~0U, 2U) == 0x7fffffffU);
  CHECK(evaluate<U64>("div.u64 %result, %a, %b;", U64{5}, U64{0}) == ~U64{0});
}

TEST_CASE("min, max, abs and neg of integers") {
  CHECK(evaluate<I32>("min.s32 %result, %a, %b;", -1, 1) == -1);
  CHECK(evaluate<U32>("min.u32 %result, %a, %b;", ~0U, 1U) == 1U);
  CHECK(evaluate<I64>("max.s64 %result, %a, %b;", I64{-1}, I64{-2}) == -1);
  CHECK(evaluate<I32>("abs.s32 %result, %a;", least32) == least32);
  CHECK(evaluate<I16>("neg.s16 %result, %a;", I16{7}) == -7);
}

TEST_CASE("logic, of predicates too") {
  CHECK(evaluate<U32>("and.b32 %result, %a, %b;", 0xff00U, 0x0ff0U) == 0x0f00U);
  CHECK(evaluate<U64>("or.b64 %result, %a, %b;", U64{1} << 63, U64{1}) == (U64{1} << 63 | 1));
  CHECK(evaluate<U16>("xor.b16 %result, %a, %b;", U16{0xffff}, U16{0x0ff0}) == 0xf00f);
  CHECK(evaluate<U32>("not.b32 %result, %a;", 0xffU) == 0xffffff00U);
  CHECK(evaluate<U32>("cnot.b32 %result, %a;", 3U) == 0);
  CHECK(evaluate<U32>("lop3.b32 %result, %a, %b, %c, 0xE2;", 0xccU, 0xaaU, 0xf0U) ==
        ((0xccU & 0xaaU) | (0xf0U & ~0xaaU)));
  const char* both = "setp.lt.s32 %p, %a, 5; setp.gt.s32 %q, %a, 2; and.pred %p, %p, %q;";
  CHECK(holds_for(both, 3));
  CHECK_FALSE(holds_for(both, 5));
  CHECK(holds_for("setp.lt.s32 %q, %a, 5; not.pred %p, %q;", 7));
}

TEST_CASE("shifts by the width and beyond") {
  CHECK(evaluate<U64>("shl.b64 %result, %a, %b;", U64{1}, 63) == U64{1} << 63);
  CHECK(evaluate<U64>("shl.b64 %result, %a, %b;", U64{1}, 64) == 0);
  CHECK(evaluate<U32>("shl.b32 %result, %a, %b;", 1U, 32) == 0);
  CHECK(evaluate<U64>("shr.u64 %result, %a, %b;", ~U64{0}, 64) == 0);
  CHECK(evaluate<I64>("shr.s64 %result, %a, %b;", I64{-8}, 70) == -1);
  CHECK(evaluate<I64>("shr.s64 %result, %a, 1;", I64{-8}) == -4);
  CHECK(evaluate<U16>("shl.b16 %result, %a, %b;", U16{0x8001}, 1) == 2);
  CHECK(evaluate<U32>("shf.l.wrap.b32 %result, %a, %b, %c;", 0x80000001U, 0x12345678U, 36) == 0x23456788U);
  CHECK(evaluate<U32>("shf.r.wrap.b32 %result, %a, %b, %c;", 0x80000001U, 0x12345678U, 4) == 0x88000000U);
  CHECK(evaluate<U32>("shf.l.clamp.b32 %result, %a, %b, %c;", 7U, 9U, 40) == 7U);
  CHECK(evaluate<U32>("shf.r.clamp.b32 %result, %a, %b, %c;", 7U, 9U, 40) == 9U);
}

TEST_CASE("fields of bits and bytes") {
  CHECK(evaluate<U32>("bfe.u32 %result, %a, 4, 8;", 0xabcdU) == 0xbcU);
  CHECK(evaluate<I32>("bfe.s32 %result, %a, 4, 8;", 0xabcd) == static_cast<I32>(0xffffffbcU));
  CHECK(evaluate<I32>("bfe.s32 %result, %a, 28, 8;", least32) == -8);
  CHECK(evaluate<U64>("bfe.u64 %result, %a, 60, 9;", ~U64{0}) == 15);
  CHECK(evaluate<U32>("bfi.b32 %result, %a, %b, 8, 4;", 0x5U, 0xffffffffU) == 0xfffff5ffU);
  CHECK(evaluate<U64>("bfi.b64 %result, %a, %b, 32, 32;", U64{7}, U64{9}) == (U64{7} << 32 | 9));
  CHECK(evaluate<U32>("prmt.b32 %result, %a, %b, 0x7610;", 0x33221100U, 0x77665544U) == 0x77661100U);
  CHECK(evaluate<U32>("prmt.b32 %result, %a, %b, 0x9A98;", 0x00800080U, 0U) == 0x00ff00ffU);
  CHECK(evaluate<U32>("popc.b32 %result, %a;", 0xf0f0U) == 8);
  CHECK(evaluate<U32>("popc.b64 %result, %a;", ~U64{0}) == 64);
  CHECK(evaluate<U32>("clz.b32 %result, %a;", 0U) == 32);
  CHECK(evaluate<U32>("clz.b64 %result, %a;", U64{1}) == 63);
  CHECK(evaluate<U32>("brev.b32 %result, %a;", 6U) == 0x60000000U);
  CHECK(evaluate<U64>("brev.b64 %result, %a;", U64{1}) == U64{1} << 63);
  CHECK(evaluate<U32>("bfind.u32 %result, %a;", 0x10U) == 4);
  CHECK(evaluate<U32>("bfind.s32 %result, %a;", -1) == ~0U);
}

TEST_CASE("float arithmetic in every rounding") {
  CHECK(evaluate<float>("add.f32 %result, %a, %b;", 1.0F, 0x1p-24F) == 1.0F);
  CHECK(evaluate<float>("add.rp.f32 %result, %a, %b;", 1.0F, 0x1p-60F) == 1.0F + 0x1p-23F);
  CHECK(evaluate<float>("add.rz.f32 %result, %a, %b;", 1.0F, -0x1p-100F) == 1.0F - 0x1p-24F);
  CHECK(evaluate<float>("sub.rm.f32 %result, %a, %b;", -1.0F, 0x1p-140F) == -1.0F - 0x1p-23F);
  CHECK(bits(evaluate<float>("sub.rm.f32 %result, %a, %b;", 1.0F, 1.0F)) == 0x80000000U);
  CHECK(bits(evaluate<float>("sub.f32 %result, %a, %b;", 1.0F, 1.0F)) == 0U);
  CHECK(evaluate<float>("mul.rp.f32 %result, %a, %b;", 0x1p-149F, 0.25F) == 0x1p-149F);
  CHECK(evaluate<float>("mul.rz.f32 %result, %a, %b;", 3e38F, 3e38F) == std::numeric_limits<float>::max());
  CHECK(evaluate<float>("fma.rn.f32 %result, %a, %b, %c;", 1 + 0x1p-23F, 1 - 0x1p-23F, -1.0F) == -0x1p-46F);
  CHECK(evaluate<float>("fma.rm.f32 %result, %a, %b, %c;", 1.0F, 1.0F, -0x1p-90F) == 1 - 0x1p-24F);
  CHECK(evaluate<float>("fma.rp.f32 %result, %a, %b, %c;", 1.0F, 1.0F, 0x1p-90F) == 1 + 0x1p-23F);
  CHECK(evaluate<float>("div.rn.f32 %result, %a, %b;", 1.0F, 3.0F) == 1.0F / 3.0F);
  CHECK(evaluate<float>("div.rz.f32 %result, %a, %b;", 2.0F, 3.0F) < 2.0F / 3.0F);
  CHECK(evaluate<float>("div.rm.f32 %result, %a, %b;", 2.0F, -3.0F) == -2.0F / 3.0F);
  CHECK(evaluate<float>("rcp.rp.f32 %result, %a;", 3.0F) == 1.0F / 3.0F);
  CHECK(evaluate<float>("sqrt.rz.f32 %result, %a;", 5.0F) < std::sqrt(5.0F));
  CHECK(evaluate<float>("sqrt.rp.f32 %result, %a;", 4.0F) == 2.0F);
  CHECK(evaluate<double>("add.rz.f64 %result, %a, %b;", 1.0, 0x1.8p-53) == 1.0);
  CHECK(evaluate<double>("fma.rp.f64 %result, %a, %b, %c;", 1.0, 1.0, 0x1p-100) == 1 + 0x1p-52);
  CHECK(evaluate<double>("fma.rn.f64 %result, %a, %b, %c;", 1 + 0x1p-52, 1 - 0x1p-52, -1.0) == -0x1p-104);
  CHECK(evaluate<double>("div.rn.f64 %result, %a, 0d4008000000000000;", 1.0) == 1.0 / 3.0);
}

TEST_CASE("denormals are flushed, and results saturated, where it is said") {
  CHECK(evaluate<float>("mul.f32 %result, %a, %b;", 0x1p-100F, 0x1p-40F) == 0x1p-140F);
  CHECK(bits(evaluate<float>("mul.ftz.f32 %result, %a, %b;", -0x1p-100F, 0x1p-40F)) == 0x80000000U);
  CHECK(evaluate<float>("add.ftz.f32 %result, %a, %b;", 0x1p-140F, 0x1p-126F) == 0x1p-126F);
  CHECK(evaluate<float>("add.sat.f32 %result, %a, %b;", 1.0F, 3.0F) == 1.0F);
  CHECK(evaluate<float>("fma.rn.sat.f32 %result, %a, %b, %c;", nan32, 1.0F, 1.0F) == 0.0F);
  CHECK(evaluate<float>("ex2.approx.ftz.f32 %result, %a;", -3.0F) == 0.125F);
  CHECK(evaluate<float>("lg2.approx.f32 %result, %a;", 0.125F) == -3.0F);
  CHECK(bits(evaluate<float>("rcp.approx.ftz.f32 %result, %a;", -infinite)) == 0x80000000U);
  CHECK(evaluate<double>("rcp.approx.ftz.f64 %result, %a;", 3.0) == doctest::Approx(1.0 / 3).epsilon(1e-6));
  CHECK((std::bit_cast<U64>(evaluate<double>("rcp.approx.ftz.f64 %result, %a;", 3.0)) & 0xffffffffU) == 0);
}

TEST_CASE("NaN, signs and extremes of floats") {
  CHECK(bits(evaluate<float>("add.f32 %result, %a, %b;", infinite, -infinite)) == 0x7fffffffU);
  CHECK(evaluate<float>("min.f32 %result, %a, %b;", nan32, 2.0F) == 2.0F);
  CHECK(bits(evaluate<float>("max.NaN.f32 %result, %a, %b;", 2.0F, nan32)) == 0x7fffffffU);
  CHECK(bits(evaluate<float>("min.f32 %result, %a, %b;", 0.0F, -0.0F)) == 0x80000000U);
  CHECK(bits(evaluate<float>("max.f32 %result, %a, %b;", -0.0F, 0.0F)) == 0U);
  CHECK(evaluate<double>("max.f64 %result, %a, %b;", nan64, -1.0) == -1.0);
  CHECK(evaluate<float>("abs.f32 %result, %a;", -2.0F) == 2.0F);
  CHECK(bits(evaluate<float>("neg.f32 %result, %a;", 0.0F)) == 0x80000000U);
  CHECK(evaluate<float>("copysign.f32 %result, %a, %b;", -1.0F, 5.0F) == -5.0F);
  CHECK(evaluate<double>("copysign.f64 %result, %a, %b;", 1.0, -5.0) == 5.0);
}

TEST_CASE("arithmetic of half and bfloat16 rounds once") {
  // Just below the middle of two halves, by less than float would keep.
  CHECK(evaluate<U16>("fma.rn.f16 %result, %a, %b, %c;", half(1 + 0x1p-10F).bits, half(0x1p-11F - 0x1p-21F).bits,
                      half(1 + 0x1p-10F).bits) == half(1 + 0x1p-10F).bits);
  CHECK(evaluate<U16>("add.f16 %result, %a, %b;", half(1.0F).bits, half(0x1p-11F).bits) == half(1.0F).bits);
  CHECK(evaluate<U16>("mul.f16 %result, %a, %b;", half(0x1p-14F).bits, half(0x1.8p-10F).bits) == 2);
  CHECK(evaluate<U16>("mul.f16 %result, %a, %b;", half(60000.0F).bits, half(2.0F).bits) == 0x7c00);
  CHECK(evaluate<U16>("neg.bf16 %result, %a;", bfloat16(3.0F).bits) == bfloat16(-3.0F).bits);
  CHECK(evaluate<U16>("fma.rn.bf16 %result, %a, %b, %c;", bfloat16(3.0F).bits, bfloat16(5.0F).bits,
                      bfloat16(1.0F).bits) == bfloat16(16.0F).bits);
  CHECK(evaluate<U32>("add.f16x2 %result, %a, %b;", 0x3c004000U, 0x3c003c00U) == 0x40004200U);
}

TEST_CASE("conversions to integers: ties, limits, NaN") {
  CHECK(evaluate<float>("cvt.rni.f32.f32 %result, %a;", 2.5F) == 2.0F);
  CHECK(evaluate<float>("cvt.rni.f32.f32 %result, %a;", 3.5F) == 4.0F);
  CHECK(bits(evaluate<float>("cvt.rni.f32.f32 %result, %a;", -0.5F)) == 0x80000000U);
  CHECK(evaluate<double>("cvt.rmi.f64.f64 %result, %a;", -0.5) == -1.0);
  CHECK(evaluate<double>("cvt.rpi.f64.f64 %result, %a;", 0.25) == 1.0);
  CHECK(evaluate<I32>("cvt.rzi.s32.f32 %result, %a;", -2.9F) == -2);
  CHECK(evaluate<I32>("cvt.rni.s32.f64 %result, %a;", 1.5) == 2);
  CHECK(evaluate<I32>("cvt.rzi.s32.f32 %result, %a;", 1e20F) == std::numeric_limits<I32>::max());
  CHECK(evaluate<U32>("cvt.rzi.u32.f32 %result, %a;", -5.0F) == 0);
  CHECK(evaluate<I32>("cvt.rzi.s32.f32 %result, %a;", nan32) == 0);
  CHECK(evaluate<I32>("cvt.rzi.s32.f64 %result, %a;", nan64) == least32);
  CHECK(evaluate<I64>("cvt.rzi.s64.f32 %result, %a;", nan32) == least64);
  CHECK(evaluate<U64>("cvt.rzi.u64.f64 %result, %a;", 0x1p64) == ~U64{0});
  CHECK(evaluate<I64>("cvt.rzi.s64.f64 %result, %a;", -0x1p63) == least64);
}

TEST_CASE("conversions among integers and to floats") {
  CHECK(evaluate<I64>("cvt.s64.s32 %result, %a;", -1) == -1);
  CHECK(evaluate<U64>("cvt.u64.u32 %result, %a;", ~0U) == 0xffffffffU);
  CHECK(evaluate<I32>("cvt.s32.s8 %result, %a;", 0x180) == -128);
  CHECK(evaluate<I32>("cvt.s8.s32 %result, %a;", 0xff) == -1);
  CHECK(evaluate<U16>("cvt.u16.u32 %result, %a;", 0x12345U) == 0x2345);
  CHECK(evaluate<U32>("cvt.sat.u8.s32 %result, %a;", 300) == 255);
  CHECK(evaluate<U32>("cvt.sat.u8.s32 %result, %a;", -300) == 0);
  CHECK(evaluate<float>("cvt.rn.f32.s32 %result, %a;", 16777217) == 16777216.0F);
  CHECK(evaluate<float>("cvt.rn.f32.u64 %result, %a;", (U64{1} << 63) + (U64{1} << 39) + 1) == 0x1p63F + 0x1p40F);
  CHECK(evaluate<float>("cvt.rz.f32.u64 %result, %a;", ~U64{0}) == 0x1.fffffep63F);
  CHECK(evaluate<float>("cvt.rm.f32.s64 %result, %a;", I64{-16777217}) == -16777218.0F);
  CHECK(evaluate<double>("cvt.rn.f64.s64 %result, %a;", least64) == -0x1p63);
  CHECK(evaluate<double>("cvt.rp.f64.u64 %result, %a;", ~U64{0} - 5000) == 0x1.ffffffffffffep63);
}

TEST_CASE("conversions among floats") {
  CHECK(evaluate<float>("cvt.rn.f32.f64 %result, %a;", 1 + 0x1p-24) == 1.0F);
  CHECK(evaluate<float>("cvt.rp.f32.f64 %result, %a;", 1 + 0x1p-52) == 1 + 0x1p-23F);
  CHECK(evaluate<double>("cvt.f64.f32 %result, %a;", 0.1F) == static_cast<double>(0.1F));
  CHECK(evaluate<float>("cvt.sat.f32.f32 %result, %a;", -3.0F) == 0.0F);
  CHECK(evaluate<U16>("cvt.rz.f16.f32 %result, %a;", 1e6F) == 0x7bff);
  CHECK(evaluate<U16>("cvt.rn.f16.f32 %result, %a;", 0x1p-25F) == 0);
  CHECK(evaluate<U16>("cvt.rn.f16.f32 %result, %a;", 0x1.000002p-25F) == 1);
  CHECK(evaluate<U16>("cvt.rn.f16.f64 %result, %a;", 1 + 0x1p-11 + 0x1p-40) == 0x3c01);
  CHECK(evaluate<U16>("cvt.rz.bf16.f32 %result, %a;", 1.999F) == bfloat16(1.9921875F).bits);
  CHECK(evaluate<U32>("cvt.rn.f16x2.f32 %result, %a, %b;", 2.0F, 1.0F) == 0x40003c00U);
  CHECK(evaluate<U32>("cvt.rn.bf16x2.f32 %result, %a, %b;", 2.0F, 1.0F) == 0x40003f80U);
}

TEST_CASE("half and bfloat16 as recal's own scalars, for many numbers") {
  const Program program(entry_text(".param .u64 from, .param .u64 to", R"(
    .reg .b32 %r<3>; .reg .b64 %d<4>; .reg .f32 %f<4>; .reg .b16 %h<4>;
    mov.u32 %r0, %ctaid.x; mov.u32 %r1, %ntid.x; mov.u32 %r2, %tid.x; mad.lo.s32 %r0, %r0, %r1, %r2;
    mul.wide.u32 %d0, %r0, 4; ld.param.u64 %d1, [from]; add.s64 %d1, %d1, %d0;
    mul.wide.u32 %d0, %r0, 16; ld.param.u64 %d2, [to]; add.s64 %d2, %d2, %d0;
    ld.global.f32 %f0, [%d1]; ld.global.u16 %h2, [%d1];
    cvt.rn.f16.f32 %h0, %f0; cvt.rn.bf16.f32 %h1, %f0; st.global.v2.u16 [%d2], {%h0, %h1};
    cvt.f32.f16 %f1, %h2; cvt.f32.bf16 %f2, %h2; st.global.f32 [%d2+4], %f1; st.global.f32 [%d2+8], %f2;)"));
  struct Result {
    U16 as_half;
    U16 as_bfloat16;
    float from_half;
    float from_bfloat16;
    U32 unused;
  };
  constexpr U32 count = 65536;
  std::vector<U32> from(count);
  for (U32 i = 0; i < count; ++i) from[i] = i * 65537U + (i * 2654435761U >> 19U << 2U);
  for (U32 i = 0; i < count; ++i) from[i] = (from[i] & 0xffff0000U) | i;
  std::vector<Result> to(count);
  Memory memory;
  memory.add(from.data(), from.size() * sizeof(U32), false);
  memory.add(to.data(), to.size() * sizeof(Result));
  const void* kernel[] = {from.data(), to.data()};
  run(program.named("k"), {count / 256, 256, 0}, kernel, sizeof(kernel), memory);
  int wrong = 0;
  for (U32 i = 0; i < count; ++i) {
    const auto given = std::bit_cast<float>(from[i]);
    const auto same = [](float a, float b) { return bits(a) == bits(b) || (std::isnan(a) && std::isnan(b)); };
    half h;
    h.bits = static_cast<U16>(i);
    bfloat16 b;
    b.bits = static_cast<U16>(i);
    wrong += !same(to[i].from_half, h) || !same(to[i].from_bfloat16, b);
    if (std::isnan(given))
      wrong += to[i].as_half != 0x7fff || to[i].as_bfloat16 != 0x7fff;
    else
      wrong += to[i].as_half != half(given).bits || to[i].as_bfloat16 != bfloat16(given).bits;
  }
  CHECK(wrong == 0);
}

TEST_CASE("comparisons, with NaN") {
  CHECK_FALSE(holds_for("setp.eq.f32 %p, %a, %a;", nan32));
  CHECK_FALSE(holds_for("setp.ne.f32 %p, %a, %b;", nan32, 1.0F));
  CHECK(holds_for("setp.neu.f32 %p, %a, %b;", nan32, 1.0F));
  CHECK(holds_for("setp.equ.f64 %p, %a, %b;", nan64, 1.0));
  CHECK(holds_for("setp.ltu.f64 %p, %a, %b;", 1.0, nan64));
  CHECK_FALSE(holds_for("setp.ltu.f64 %p, %a, %b;", 1.0, 1.0));
  CHECK(holds_for("setp.geu.f32 %p, %a, %b;", nan32, 1.0F));
  CHECK_FALSE(holds_for("setp.leu.f32 %p, %a, %b;", 2.0F, 1.0F));
  CHECK(holds_for("setp.gtu.f32 %p, %a, %b;", 2.0F, 1.0F));
  CHECK(holds_for("setp.num.f32 %p, %a, %b;", 2.0F, 1.0F));
  CHECK(holds_for("setp.nan.f32 %p, %a, %b;", 2.0F, nan32));
  CHECK(holds_for("setp.eq.ftz.f32 %p, %a, 0f00000000;", 0x1p-140F));
  CHECK(holds_for("setp.lt.s32 %p, %a, %b;", -1, 1));
  CHECK_FALSE(holds_for("setp.lt.u32 %p, %a, %b;", -1, 1));
  CHECK(holds_for("setp.hi.u64 %p, %a, %b;", I64{-1}, I64{1}));
  CHECK(holds_for("setp.lt.f16 %p, %a, %b;", half(-1.0F).bits, half(0.5F).bits));
}

TEST_CASE("comparisons combined with a predicate, and selections") {
  CHECK(holds_for("setp.gt.s32 %q, %a, 9; setp.lt.or.s32 %p, %a, 2, %q;", 10));
  CHECK(holds_for("setp.gt.s32 %q, %a, 9; setp.lt.and.s32 %p, %a, 2, !%q;", 1));
  CHECK_FALSE(holds_for("setp.gt.s32 %q, %a, 9; setp.lt.xor.s32 %p, %a, 20, %q;", 10));
  CHECK(holds_for("setp.lt.s32 %q|%p, %a, 2;", 7));
  CHECK(evaluate<U32>("set.lt.u32.f32 %result, %a, %b;", 1.0F, 2.0F) == ~0U);
  CHECK(evaluate<float>("set.ge.f32.s32 %result, %a, %b;", 1, 1) == 1.0F);
  CHECK(evaluate<double>("setp.lt.s32 %p, %a, 2; selp.f64 %result, 0d3FF0000000000000, %b, %p;", 1, 7.0) == 1.0);
  CHECK(evaluate<U32>("slct.u32.s32 %result, %a, %b, %c;", 1U, 2U, -1) == 2);
  CHECK(holds_for("testp.subnormal.f32 %p, %a;", 0x1p-130F));
  CHECK_FALSE(holds_for("testp.finite.f64 %p, %a;", nan64));
}

TEST_CASE("registers packed and unpacked") {
  CHECK(evaluate<U32>("mov.b32 %result, {%a, %b};", U16{0x1111}, U16{0x2222}) == 0x22221111U);
  CHECK(evaluate<U32>("{ .reg .b32 %t; mov.b64 {%t, %result}, %a; }", U64{0x0000000500000007}) == 5);
  CHECK(evaluate<U64>("mov.b64 %result, {%a, %b};", 7U, 5U) == U64{0x0000000500000007});
  CHECK(evaluate<U16>("mov.b64 {%x0, %x1, %result, %x3}, %a;", U64{0x4444333322221111}) == 0x3333);
  CHECK(evaluate<U32>("mov.b32 {_, %x0}, %a; cvt.u32.u16 %result, %x0;", 0x22221111U) == 0x2222);
}

TEST_CASE("loops, guards and jump tables") {
  CHECK(evaluate<U32>(R"(
      mov.u32 %result, 0;
    loop:
      add.u32 %result, %result, %a;
      add.s32 %a, %a, -1;
      setp.ne.s32 %p, %a, 0;
      @%p bra loop;)",
                      10U) == 55);
  CHECK(evaluate<U32>("setp.eq.u32 %p, %a, 1; mov.u32 %result, 3; @%p mov.u32 %result, 4;", 1U) == 4);
  CHECK(evaluate<U32>("setp.eq.u32 %p, %a, 1; mov.u32 %result, 3; @!%p mov.u32 %result, 4;", 1U) == 3);
  const char* table = R"(
    targets: .branchtargets one, two;
      brx.idx %a, targets;
    one: mov.u32 %result, 11; bra.uni end;
    two: mov.u32 %result, 22;
    end:)";
  CHECK(evaluate<U32>(table, 0U) == 11);
  CHECK(evaluate<U32>(table, 1U) == 22);
  CHECK_THROWS_WITH_AS((void)evaluate<U32>(table, 2U), Contains("branch 2 of 2"), recal::error);
}

TEST_CASE("shuffles at the edge of a warp and of its segments") {
  CHECK(evaluate_block("shfl.sync.down.b32 %result, %lane, 4, 31, -1;") ==
        lanes([](U32 l) { return l + 4 < 32 ? l + 4 : l; }));
  CHECK(evaluate_block("shfl.sync.down.b32 %y0|%p, %lane, 4, 31, -1; selp.u32 %result, 1, 0, %p;") ==
        lanes([](U32 l) { return l + 4 < 32 ? 1U : 0U; }));
  CHECK(evaluate_block("shfl.sync.up.b32 %result, %lane, 3, 0, -1;") ==
        lanes([](U32 l) { return l >= 3 ? l - 3 : l; }));
  CHECK(evaluate_block("shfl.sync.bfly.b32 %result, %lane, 5, 31, -1;") == lanes([](U32 l) { return l ^ 5U; }));
  CHECK(evaluate_block("shfl.sync.idx.b32 %result, %lane, 37, 31, -1;") == lanes([](U32) { return 5U; }));
  // c = 0x181f: segments of eight lanes
  CHECK(evaluate_block("shfl.sync.down.b32 %result, %lane, 1, 0x181f, -1;") ==
        lanes([](U32 l) { return l % 8 == 7 ? l : l + 1; }));
  CHECK(evaluate_block("shfl.sync.up.b32 %result, %lane, 1, 0x1800, -1;") ==
        lanes([](U32 l) { return l % 8 == 0 ? l : l - 1; }));
  CHECK(evaluate_block("shfl.sync.idx.b32 %result, %lane, 2, 0x181f, -1;") ==
        lanes([](U32 l) { return l / 8 * 8 + 2; }));
}

TEST_CASE("warps vote, match, reduce and wait") {
  CHECK(evaluate_block("setp.lt.u32 %p, %lane, 3; vote.sync.ballot.b32 %result, %p, -1;") ==
        lanes([](U32) { return 7U; }));
  CHECK(evaluate_block("setp.lt.u32 %p, %lane, 3; vote.sync.any.pred %q, %p, -1; selp.u32 %result, 1, 0, %q;") ==
        lanes([](U32) { return 1U; }));
  CHECK(evaluate_block("setp.lt.u32 %p, %lane, 3; vote.sync.all.pred %q, !%p, -1; selp.u32 %result, 1, 0, %q;") ==
        lanes([](U32) { return 0U; }));
  CHECK(evaluate_block("and.b32 %y0, %lane, 1; match.any.sync.b32 %result, %y0, -1;") ==
        lanes([](U32 l) { return l % 2 == 0 ? 0x55555555U : 0xaaaaaaaaU; }));
  CHECK(evaluate_block("redux.sync.add.u32 %result, %lane, -1;") == lanes([](U32) { return 496U; }));
  CHECK(evaluate_block("sub.s32 %y0, %lane, 4; redux.sync.min.s32 %result, %y0, -1;") ==
        lanes([](U32) { return ~3U; }));
  CHECK(evaluate_block("bar.warp.sync -1; mov.u32 %result, %laneid;", 64) == lanes([](U32 l) { return l % 32; }, 64));
  const char* halves = R"(
      setp.lt.u32 %p, %lane, 16; mov.u32 %result, 0; @%p bra low;
      shfl.sync.idx.b32 %result, %lane, 20, 31, 0xffff0000; bra end;
    low: shfl.sync.idx.b32 %result, %lane, 3, 31, 0x0000ffff;
    end:)";
  CHECK(evaluate_block(halves) == lanes([](U32 l) { return l < 16 ? 3U : 20U; }));
}

TEST_CASE("shared memory, static and dynamic, and barriers between warps") {
  const char* reversed = R"(
      mov.u32 %y0, dynamic; shl.b32 %y1, %lane, 2; add.s32 %y2, %y0, %y1; st.shared.u32 [%y2], %lane;
      barrier.sync.aligned 0;
      sub.s32 %y3, 252, %y1; add.s32 %y3, %y0, %y3; ld.shared.u32 %result, [%y3];)";
  const char* declared = ".extern .shared .align 16 .b8 dynamic[];";
  CHECK(evaluate_block(reversed, 64, 256, declared) == lanes([](U32 l) { return 63 - l; }, 64));
  CHECK_THROWS_WITH_AS((void)evaluate_block(reversed, 64, 252, declared), Contains("outside the 252 of shared memory"),
                       recal::error);
  const char* generic = R"(
      .shared .align 4 .b8 row[128];
      mov.u64 %z0, row; cvta.shared.u64 %z1, %z0; mul.wide.u32 %z2, %lane, 4; add.s64 %z1, %z1, %z2;
      st.u32 [%z1], %lane; cvta.to.shared.u64 %z3, %z1; bar.sync 0; ld.shared.u32 %result, [%z3];)";
  CHECK(evaluate_block(generic) == lanes([](U32 l) { return l; }));
  CHECK(evaluate_block(".shared .align 4 .b8 row[4]; ld.shared.u32 %result, [row];", 1) == std::vector<U32>{~0U});
}

TEST_CASE("tables that the program brings are read, and constants not written") {
  const char* table = ".const .align 8 .b8 table[8] = {1, 0, 0, 0, 2, 0, 0, 0};\n.global .align 4 .u32 word = 9;";
  CHECK(evaluate_block("ld.const.u32 %result, [table+4];", 1, 0, table) == std::vector<U32>{2});
  CHECK(evaluate_block("mov.u64 %z0, word; ld.global.nc.u32 %result, [%z0];", 1, 0, table) == std::vector<U32>{9});
  CHECK_THROWS_WITH_AS((void)evaluate_block("mov.u64 %z0, table; st.global.u32 [%z0], 1;", 1, 0, table),
                       Contains("may be written"), recal::error);
}

TEST_CASE("what is not known is refused with its line") {
  check_refused(entry_text("", "// nothing\n  frobnicate.b32 1;"), "ptx line 6: unknown instruction 'frobnicate'");
  check_refused(entry_text("", ".reg .f32 %f<2>;\nadd.fast.f32 %f0, %f1, %f1;"),
                "line 6: unknown modifier or type 'fast'");
  check_refused(entry_text("", ".reg .f32 %f<2>;\nadd.f32.fast %f0, %f1, %f1;"), "unknown modifier 'fast'");
  check_refused(entry_text("", ".reg .f32 %f<2>;\nadd.f32 %f0, %f1, %f2;"), "unknown register at '%f2'");
  check_refused(entry_text("", ".reg .f32 %f<2>;\nadd.f32 %f0, %f1, 1;"), "an integer where a floating-point");
  check_refused(entry_text("", ".reg .f64 %f<2>;\nadd.f64 %f0, %f1, 0f3f800000;"), "a single-precision literal");
  check_refused(entry_text("", ".reg .b32 %r<2>;\nadd.sat.u32 %r0, %r1, %r1;"), "unknown modifier of integers");
  check_refused(entry_text("", ".reg .b32 %r<2>;\ncvt.s32.f32 %r0, %r1;"), "needs .rni or its kind");
  check_refused(entry_text("", ".reg .b32 %r<2>;\npopc.u16 %r0, %r1;"), "no such instruction for this type");
  check_refused(entry_text("", "bra nowhere;"), "unknown label nowhere");
  check_refused(entry_text("", "bar.sync 1;"), "only barrier 0 is known");
  check_refused(entry_text("", "call.uni (a), b, (c);"), "a call stands");
  check_refused(entry_text("", ".maxntid 3;"), "unknown directive at '.maxntid'");
  check_refused(".version 9.0\n.surprise;\n", "line 2: unknown directive at '.surprise'");
  check_refused(".visible .entry k() {\nret;\n", "expected '}'");
}

TEST_CASE("addresses outside, or not aligned, are faults that say where") {
  const char* beyond = "add.s64 %out, %out, 4; ld.global.u32 %result, [%out];";
  CHECK_THROWS_WITH_AS((void)evaluate_block(beyond, 32), Contains("k, block 0, thread 31, ptx line 6"), recal::error);
  CHECK_THROWS_WITH_AS((void)evaluate_block(beyond, 32), Contains("in no memory that may be read"), recal::error);
  CHECK_THROWS_WITH_AS((void)evaluate_block("ld.global.v2.f32 {%f0, %f1}, [%out+4]; bra end; end:", 4),
                       Contains("8 bytes at"), recal::error);
  CHECK_THROWS_WITH_AS((void)evaluate_block("ld.global.u32 %result, [%out+2];", 4), Contains("are not aligned"),
                       recal::error);
  CHECK_THROWS_WITH_AS((void)evaluate_block("ld.param.u64 %z0, [to+8];"), Contains("outside the 8 of parameters"),
                       recal::error);
}

TEST_CASE("threads that do not come together are faults") {
  CHECK_THROWS_WITH_AS(
      (void)evaluate_block("setp.eq.u32 %p, %lane, 7; @%p bra end; bar.sync 0; end: mov.u32 %result, 1;"),
      Contains("divergent barrier"), recal::error);
  CHECK_THROWS_WITH_AS((void)evaluate_block("setp.eq.u32 %p, %lane, 7; @%p ret; bar.sync 0; mov.u32 %result, 1;"),
                       Contains("divergent barrier: thread 0 waits, thread 7 has left"), recal::error);
  CHECK_THROWS_WITH_AS(
      (void)evaluate_block("setp.lt.u32 %p, %lane, 7; @%p bra one; bar.sync 0; bra end; one: bar.sync 0; end:"),
      Contains("waits at another one"), recal::error);
  CHECK_THROWS_WITH_AS(
      (void)evaluate_block("setp.eq.u32 %p, %lane, 7; @%p ret; shfl.sync.idx.b32 %result, 1, 0, 31, -1;"),
      Contains("not all lanes of mask"), recal::error);
  CHECK_THROWS_WITH_AS((void)evaluate_block("shfl.sync.idx.b32 %result, %lane, 0, 31, 1;"),
                       Contains("not in its own mask"), recal::error);
  CHECK_THROWS_WITH_AS((void)evaluate_block("trap;"), Contains("the kernel traps"), recal::error);
}

TEST_CASE("what an entry looks like is reported without running it") {
  const Program program(entry_text(".param .u64 p", R"(
    .local .align 8 .b8 __local_depot0[16];
    .reg .b64 %d<3>; .reg .f32 %f<4>; .reg .b16 %h<4>; .reg .f64 %e<2>;
    mov.u64 %d1, __local_depot0; st.local.u64 [%d1], %d0;
    ld.global.v4.f32 {%f0, %f1, %f2, %f3}, [%d0]; ld.global.nc.v2.f64 {%e0, %e1}, [%d0];
    ld.global.f32 %f0, [%d0]; st.global.v4.u16 [%d0], {%h0, %h1, %h2, %h3};
    st.global.L1::no_allocate.v4.f32 [%d0], {%f0, %f1, %f2, %f3};)"));
  const Entry& entry = program.named("k");
  CHECK(entry.local);
  CHECK(entry.loads_128 == 2);
  CHECK(entry.loads == 3);
  CHECK(entry.stores_128 == 1);
  CHECK(entry.stores == 2);
  Memory memory;
  const std::uint64_t kernel = 0;
  CHECK_THROWS_WITH_AS(run(entry, {}, &kernel, 8, memory), Contains("k uses local memory"), recal::error);
  CHECK_THROWS_WITH_AS((void)program.named("other"), Contains("no entry other"), recal::error);
}

TEST_CASE("traffic counts what threads ask for") {
  const Program program(entry_text(".param .u64 p", R"(
    .reg .b64 %d<2>; .reg .b32 %r<5>;
    ld.param.u64 %d0, [p]; ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%d0]; ld.global.u8 %r4, [%d0+16];
    st.global.v2.u32 [%d0+24], {%r0, %r1};)"));
  alignas(16) unsigned char bytes[32] = {};
  Memory memory;
  memory.add(bytes, sizeof(bytes));
  void* kernel = bytes;
  run(program.named("k"), {2, 3, 0}, &kernel, sizeof(kernel), memory);
  CHECK(memory.traffic.bytes_loaded == 6 * 17);
  CHECK(memory.traffic.bytes_stored == 6 * 8);
  CHECK(memory.traffic.loads_128 == 6);
  CHECK(memory.traffic.stores_128 == 0);
  CHECK(memory.traffic.instructions == 6 * 5);
  memory.remove(bytes);
  CHECK_THROWS_AS(run(program.named("k"), {1, 1, 0}, &kernel, sizeof(kernel), memory), recal::error);
  CHECK_THROWS_WITH_AS(run(program.named("k"), {1, 1, 0}, &kernel, 4, memory), Contains("takes 8 bytes"), recal::error);
}

namespace {

struct Unknown {
  int number;
};

}  // namespace

TEST_CASE("the machine gives NaN, refuses what is not its memory, and kernels that the program lacks") {
  const PtxMachine machine{Program(entry_text("", ""))};
  std::shared_ptr<void> memory = machine.allocate(24);
  CHECK(Memory::address(memory.get()) % 256 == 0);
  std::vector<double> host(3, 0.0);
  machine.copy_to_host(host.data(), memory.get(), 24);
  for (const double number : host) CHECK(std::isnan(number));
  machine.clear(memory.get(), 24);
  machine.copy_to_host(host.data(), memory.get(), 24);
  CHECK(host == std::vector<double>(3, 0.0));
  CHECK_THROWS_WITH_AS(machine.copy_to_device(memory.get(), host.data(), 25), Contains("not in device memory"),
                       recal::error);
  CHECK_THROWS_WITH_AS(machine.launch({}, Unknown{1}), Contains("no entry void recal::cuda::entry<"), recal::error);
  CHECK_THROWS_WITH_AS(machine.launch({1, 33, 0}, Unknown{1}), Contains("33 threads"), recal::error);
  const void* gone = memory.get();
  memory.reset();
  CHECK_THROWS_AS(machine.copy_to_host(host.data(), gone, 8), recal::error);
}
