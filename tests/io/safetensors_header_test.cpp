// SPDX-License-Identifier: Apache-2.0
#include <recal/io/safetensors_header.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using recal::Index;
using recal::io::Dtype;
using recal::io::parse_safetensors_header;
using recal::io::SafetensorsHeader;

namespace {

constexpr std::string_view two_tensors = R"({"__metadata__":{"format":"pt","epoch":"3"},)"
                                         R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                         R"("b":{"dtype":"I64","shape":[],"data_offsets":[24,32]}}   )";

SafetensorsHeader parse(std::string_view json, std::uint64_t data_bytes) {
  return parse_safetensors_header(json, data_bytes, "m.safetensors");
}

void check_refused(std::string_view json, std::uint64_t data_bytes, const std::string& message) {
  INFO(json);
  CHECK_THROWS_WITH_AS((void)parse(json, data_bytes), ("recal: m.safetensors: " + message).c_str(), recal::error);
}

/// One tensor "a" with the given rest, in front of 8 bytes.
void check_tensor_refused(const std::string& rest, const std::string& message) {
  check_refused("{\"a\":{" + rest + "}}", 8, message);
}

}  // namespace

TEST_CASE("tensors and metadata are read") {
  const SafetensorsHeader header = parse(two_tensors, 32);
  CHECK(header.metadata.size() == 2);
  CHECK(header.metadata.at("epoch") == "3");
  const auto& a = header.tensors.at("a");
  CHECK(a.dtype == Dtype::f32);
  CHECK(a.shape == std::vector<Index>{2, 3});
  CHECK(a.begin == 0);
  CHECK(a.end == 24);
  CHECK(a.size() == 6);
  CHECK(header.tensors.at("b").shape.empty());
  CHECK(header.tensors.at("b").size() == 1);
}

TEST_CASE("no tensors, empty tensors and any order are allowed") {
  CHECK(parse("{}", 0).tensors.empty());
  CHECK(parse("{\"__metadata__\":{}}", 0).metadata.empty());
  const SafetensorsHeader header = parse(
      R"({"z":{"data_offsets":[4,8],"shape":[4],"dtype":"U8"},"empty":{"dtype":"F64","shape":[3,0],"data_offsets":[4,4]},)"
      R"("a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})",
      8);
  CHECK(header.tensors.size() == 3);
  CHECK(header.tensors.at("empty").size() == 0);
}

TEST_CASE("text that is not the header's JSON is refused") {
  check_refused("", 0, "the header does not begin with {");
  check_refused(" {}", 0, "the header does not begin with {");
  check_refused("[]", 0, "the header does not begin with {");
  check_refused("{}x", 0, "expected the end of the text at byte 2 of the JSON text, found 'x'");
  check_refused(std::string_view("{}\0", 3), 0,
                "expected the end of the text at byte 2 of the JSON text, found byte 0");
  check_refused("{", 0, "expected a key at byte 1 of the JSON text, found the end");
  check_refused("{\"a\":7}", 0, "expected an object for tensor \"a\" at byte 5 of the JSON text, found a number");
  check_refused("{\"__metadata__\":[]}", 0,
                "expected an object of strings as __metadata__ at byte 16 of the JSON text, found a list");
  check_refused("{\"__metadata__\":{\"a\":1}}", 0,
                "expected a string in __metadata__ at byte 21 of the JSON text, found a number");
}

TEST_CASE("a key that comes twice is refused wherever it is") {
  check_refused(R"({"__metadata__":{"k":"1","k":"2"}})", 0, "__metadata__ has the key \"k\" twice");
  check_refused(R"({"__metadata__":{},"__metadata__":{}})", 0, "the header has the key \"__metadata__\" twice");
  check_refused(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2,
      "the header has the key \"a\" twice");
  check_tensor_refused(R"("dtype":"U8","dtype":"U8")", "tensor \"a\" has the key \"dtype\" twice");
  check_tensor_refused(R"("dtype":"U8","shape":[],"shape":[])", "tensor \"a\" has the key \"shape\" twice");
}

TEST_CASE("a tensor needs dtype, shape and data_offsets and nothing else") {
  check_tensor_refused("", "tensor \"a\" has no dtype");
  check_tensor_refused(R"("dtype":"U8","data_offsets":[0,8])", "tensor \"a\" has no shape");
  check_tensor_refused(R"("dtype":"U8","shape":[8])", "tensor \"a\" has no data_offsets");
  check_tensor_refused(R"("dtype":"U8","shape":[8],"data_offsets":[0,8],"extra":"1")",
                       "tensor \"a\" has the key \"extra\", expected dtype, shape and data_offsets");
  check_tensor_refused(
      R"("dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8])",
      "tensor \"a\" has dtype \"F8_E4M3\", known are BOOL U8 I8 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64");
  check_tensor_refused(R"("dtype":8)", "expected a string as dtype at byte 14 of the JSON text, found a number");
}

TEST_CASE("shapes and offsets are non-negative integers") {
  check_tensor_refused(R"("shape":8)", "expected a list as shape at byte 14 of the JSON text, found a number");
  check_tensor_refused(R"("shape":[-1])",
                       "expected a non-negative integer in shape at byte 15 of the JSON text, found a negative number");
  check_tensor_refused(R"("shape":[1.5])", "expected a plain integer at byte 16 of the JSON text, found '.'");
  check_tensor_refused(R"("shape":["8"])",
                       "expected a non-negative integer in shape at byte 15 of the JSON text, found a string");
  check_tensor_refused(R"("shape":[9223372036854775808])",
                       "tensor \"a\" has the size 9223372036854775808 in its shape, at most 9223372036854775807 is "
                       "possible");
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  check_tensor_refused("\"shape\":[" + ones + "]", "tensor \"a\" has more than 64 sizes in its shape");
  check_tensor_refused(R"("data_offsets":[0])", "tensor \"a\" has 1 numbers in data_offsets, expected 2");
  check_tensor_refused(R"("data_offsets":[0,1,2])", "tensor \"a\" has more than 2 numbers in data_offsets");
  check_tensor_refused(R"("data_offsets":[0,-8])",
                       "expected a non-negative integer in data_offsets at byte 24 of the JSON text, found a negative "
                       "number");
}

TEST_CASE("shape, dtype and offsets must agree, also where they overflow") {
  check_tensor_refused(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])",
                       "tensor \"a\" of F32 [3] needs 12 bytes, its data_offsets span 8");
  check_tensor_refused(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])",
                       "tensor \"a\" begins at byte 8 and ends at 0");
  check_tensor_refused(R"("dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0])",
                       "tensor \"a\" of shape [4294967296, 4294967296] has more bytes than 64 bits can count");
  check_tensor_refused(R"("dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8])",
                       "tensor \"a\" of shape [2305843009213693953] has more bytes than 64 bits can count");
}

TEST_CASE("the tensors must fill the data without overlap or hole") {
  const std::string a = R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},)";
  check_refused(a + R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", 8,
                "tensor \"b\" begins at byte 4 and overlaps tensor \"a\", which ends at 8");
  check_refused(a + R"("b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", 8,
                "tensor \"b\" begins at byte 0 and overlaps tensor \"a\", which ends at 8");
  check_refused(a + R"("b":{"dtype":"U8","shape":[0],"data_offsets":[3,3]}})", 8,
                "tensor \"b\" begins at byte 3 and overlaps tensor \"a\", which ends at 8");
  check_refused(a + R"("b":{"dtype":"U8","shape":[4],"data_offsets":[12,16]}})", 16,
                "bytes 8 to 12 before tensor \"b\" belong to no tensor");
  check_refused(a + R"("b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]}})", 10,
                "tensor \"b\" ends at byte 12 of the data, which has 10");
  check_refused(a + R"("b":{"dtype":"U8","shape":[4],"data_offsets":[8,12]}})", 16,
                "the tensors end at byte 12 of the data, which has 16");
  check_refused("{}", 1, "the tensors end at byte 0 of the data, which has 1");
}

TEST_CASE("long and unprintable names are shortened in messages") {
  const std::string name(5000, 'n');
  try {
    (void)parse("{\"" + name + "\\n\":{}}", 0);
    FAIL("accepted");
  } catch (const recal::error& error) {
    CHECK(std::string_view(error.what()).size() < 300);
  }
  check_refused("{\"\\u0007\":{}}", 0, "tensor \"?\" has no dtype");
}

TEST_CASE("whatever is accepted means the same to another JSON library") {
  std::mt19937_64 random(11);
  constexpr std::string_view alphabet = "{}[]\",:0123456789 abe\\-.u\n\xC3\xA9";
  int accepted = 0;
  for (int round = 0; round < 30000; ++round) {
    std::string json(two_tensors);
    for (std::uint64_t edits = 1 + random() % 2; edits > 0; --edits) {
      const std::size_t at = random() % json.size();
      const char c = alphabet[random() % alphabet.size()];
      if (random() % 3 == 0)
        json.insert(json.begin() + static_cast<std::ptrdiff_t>(at), c);
      else if (random() % 2 == 0)
        json.erase(at, 1);
      else
        json[at] = c;
    }
    SafetensorsHeader header;
    try {
      header = parse(json, 32);
    } catch (const recal::error&) {
      continue;
    }
    ++accepted;
    const nlohmann::json other = nlohmann::json::parse(json, nullptr, false);
    REQUIRE(other.is_object());
    REQUIRE(other.size() == header.tensors.size() + other.count("__metadata__"));
    for (const auto& [name, info] : header.tensors) {
      REQUIRE(other.at(name).at("dtype") == to_string(info.dtype));
      REQUIRE(other.at(name).at("shape") == info.shape);
      REQUIRE(other.at(name).at("data_offsets") == std::vector<std::uint64_t>{info.begin, info.end});
    }
    for (const auto& [key, value] : header.metadata) REQUIRE(other.at("__metadata__").at(key) == value);
  }
  CHECK(accepted > 1000);
}
