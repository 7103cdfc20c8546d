// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include <doctest/doctest.h>

#include <recal/backend/cuda/convert.hpp>

using namespace recal;

TEST_CASE("every half and bfloat16 survives the way to float and back") {
  for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
    half h;
    h.bits = static_cast<std::uint16_t>(bits);
    bfloat16 b;
    b.bits = static_cast<std::uint16_t>(bits);
    const float from_half = cuda::widen<float>(h);
    const float from_bfloat16 = cuda::widen<float>(b);
    if (from_half == from_half) CHECK(cuda::narrow<half>(from_half).bits == bits);
    if (from_bfloat16 == from_bfloat16) CHECK(cuda::narrow<bfloat16>(from_bfloat16).bits == bits);
  }
}

TEST_CASE("numbers between two elements go to the even one") {
  CHECK(cuda::narrow<half>(1.0F + 0x1p-11F).bits == half(1.0F).bits);
  CHECK(cuda::narrow<half>(1.0F + 0x3p-11F).bits == half(1.0F + 0x4p-11F).bits);
  CHECK(cuda::narrow<bfloat16>(1.0F + 0x1p-8F).bits == bfloat16(1.0F).bits);
  CHECK(cuda::narrow<float>(1.5) == 1.5F);
  CHECK(cuda::widen<double>(half(0.25F)) == 0.25);
}
