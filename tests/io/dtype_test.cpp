// SPDX-License-Identifier: Apache-2.0
#include <recal/io/dtype.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

using recal::io::Dtype;

namespace {

constexpr Dtype all[] = {Dtype::boolean, Dtype::u8,  Dtype::i8,  Dtype::i16, Dtype::u16, Dtype::f16, Dtype::bf16,
                         Dtype::i32,     Dtype::u32, Dtype::f32, Dtype::f64, Dtype::i64, Dtype::u64};

template <class To, class From>
std::vector<To> decoded(const std::vector<From>& values) {
  std::vector<To> out(values.size());
  recal::io::decode("t", recal::io::dtype_of<From>(), std::as_bytes(std::span(values)), std::span(out));
  return out;
}

}  // namespace

TEST_CASE("names of element types go both ways, unknown ones give nothing") {
  for (const Dtype dtype : all) CHECK(recal::io::parse_dtype(to_string(dtype)) == dtype);
  CHECK(to_string(Dtype::bf16) == "BF16");
  for (const auto* name : {"", "f32", "F8_E4M3", "F321"}) CHECK_FALSE(recal::io::parse_dtype(name).has_value());
}

TEST_CASE("sizes and C++ types of element types") {
  for (const Dtype dtype : all)
    recal::io::detail::with_element(dtype, [dtype]<class T>(std::type_identity<T>) {
      CHECK(recal::io::item_size(dtype) == sizeof(T));
      CHECK((dtype == Dtype::boolean || recal::io::dtype_of<T>() == dtype));
    });
}

TEST_CASE("floating point is read as floating point, rounded where the target is narrower") {
  const std::vector<double> values{1.5, -0.1, 1e300, 65504, 0};
  CHECK(decoded<float>(values)[1] == -0.1F);
  CHECK(decoded<float>(values)[2] == std::numeric_limits<float>::infinity());
  CHECK(static_cast<float>(decoded<recal::half>(values)[3]) == 65504.0F);
  CHECK(static_cast<float>(decoded<recal::bfloat16>(values)[0]) == 1.5F);
  CHECK(decoded<double>(std::vector<float>{-0.1F})[0] == static_cast<double>(-0.1F));
  CHECK(decoded<double>(std::vector<recal::half>{recal::half(0.25F)})[0] == 0.25);
  CHECK(decoded<float>(std::vector<recal::bfloat16>{recal::bfloat16(-3.0F)})[0] == -3.0F);
}

TEST_CASE("integers are read as integers that hold them") {
  CHECK(decoded<std::int64_t>(std::vector<std::uint8_t>{0, 255}) == std::vector<std::int64_t>{0, 255});
  CHECK(decoded<std::int8_t>(std::vector<std::int64_t>{-128, 127}) == std::vector<std::int8_t>{-128, 127});
  CHECK_THROWS_WITH_AS(decoded<std::int8_t>(std::vector<std::int64_t>{1, 128}),
                       "recal: t holds 128 at 1, which does not fit I8", recal::error);
  CHECK_THROWS_WITH_AS(decoded<std::uint32_t>(std::vector<std::int32_t>{-1}),
                       "recal: t holds -1 at 0, which does not fit U32", recal::error);
  std::vector<std::uint8_t> flags(2);
  const std::vector<std::uint8_t> stored{1, 0};
  recal::io::decode<std::uint8_t>("t", Dtype::boolean, std::as_bytes(std::span(stored)), flags);
  CHECK(flags == stored);
}

TEST_CASE("integers and floating point do not mix, and sizes must agree") {
  CHECK_THROWS_WITH_AS(decoded<float>(std::vector<std::int32_t>{1}), "recal: t is I32, which is not read as F32",
                       recal::error);
  CHECK_THROWS_WITH_AS(decoded<std::int64_t>(std::vector<float>{1}), "recal: t is F32, which is not read as I64",
                       recal::error);
  const std::vector<float> values{1, 2};
  std::vector<float> out(3);
  CHECK_THROWS_WITH_AS(recal::io::decode<float>("t", Dtype::f32, std::as_bytes(std::span(values)), out),
                       "recal: t has 8 bytes, expected 12", recal::error);
}
