// SPDX-License-Identifier: Apache-2.0
#include <recal/io/safetensors_writer.hpp>

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/io/safetensors.hpp>
#include <tests/support/temporary_folder.hpp>

using recal::Index;
using recal::io::Dtype;
using recal::io::SafetensorsFile;
using recal::io::SafetensorsWriter;

namespace {

std::string text_of(const std::vector<std::byte>& bytes) {
  std::string text(bytes.size(), '\0');
  if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
  return text;
}

const std::vector<float> two{1, 2};
const std::vector<std::uint8_t> three{7, 8, 9};

}  // namespace

TEST_CASE("the bytes are the format's: length, padded header by falling type and name, data") {
  SafetensorsWriter writer;
  writer.add<std::uint8_t>("a", {3}, three);
  writer.add<float>("z", {2}, two);
  writer.add<float>("b", {1, 2}, two);
  writer.set_metadata("k", "old");
  writer.set_metadata("k", "v");
  const std::string header =
      R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("z":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"a":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}})";
  const std::size_t padded = (header.size() + 7) / 8 * 8;
  std::string expected(8, '\0');
  expected[0] = static_cast<char>(padded);
  expected += header + std::string(padded - header.size(), ' ');
  expected += std::string("\0\0\x80\x3F\0\0\0\x40\0\0\x80\x3F\0\0\0\x40\x07\x08\x09", 19);
  CHECK(text_of(writer.to_bytes()) == expected);
}

TEST_CASE("the bytes do not depend on the order of adding") {
  SafetensorsWriter one;
  one.set_metadata("a", "1");
  one.set_metadata("b", "2");
  one.add<float>("x", {2}, two);
  one.add<std::uint8_t>("y", {3}, three);
  SafetensorsWriter other;
  other.add<std::uint8_t>("y", {3}, three);
  other.set_metadata("b", "2");
  other.add<float>("x", {2}, two);
  other.set_metadata("a", "1");
  CHECK(one.to_bytes() == other.to_bytes());
}

TEST_CASE("add copies, add_view looks when the file is written") {
  std::vector<float> values{1, 2};
  SafetensorsWriter writer;
  writer.add<float>("copied", {2}, values);
  writer.add_view<float>("viewed", {2}, values);
  values = {3, 4};
  const auto bytes = writer.to_bytes();
  const auto file = SafetensorsFile::from_memory(bytes);
  CHECK(file.read<float>("copied") == std::vector<float>{1, 2});
  CHECK(file.read<float>("viewed") == std::vector<float>{3, 4});
}

TEST_CASE("what the format cannot hold is refused with both sides") {
  SafetensorsWriter writer;
  writer.add<float>("a", {2}, two);
  CHECK_THROWS_WITH_AS(writer.add<float>("a", {2}, two), "recal: safetensors: tensor \"a\" is added twice",
                       recal::error);
  CHECK_THROWS_WITH_AS(writer.add<float>("__metadata__", {2}, two),
                       "recal: safetensors: a tensor cannot be called __metadata__", recal::error);
  CHECK_THROWS_WITH_AS(writer.add<float>("b", {3}, two),
                       "recal: safetensors: tensor \"b\" of shape [3] is given 2 values", recal::error);
  CHECK_THROWS_WITH_AS(writer.add<float>("b", {-1, -2}, two),
                       "recal: safetensors: tensor \"b\" of shape [-1, -2] is given 2 values", recal::error);
  CHECK_THROWS_WITH_AS(writer.add<float>("b", std::vector<Index>(65, 1), std::span(two).first(1)),
                       "recal: safetensors: tensor \"b\" has 65 sizes, at most 64 are allowed", recal::error);
  writer.set_metadata("k", "\xFF");
  CHECK_THROWS_WITH_AS((void)writer.to_bytes(), doctest::Contains("not valid UTF-8"), recal::error);
}

TEST_CASE("a failed save leaves the old file and nothing else") {
  const recal::testing::TemporaryFolder folder;
  SafetensorsWriter writer;
  writer.add<float>("a", {2}, two);
  writer.save(folder / "m.safetensors");
  writer.set_metadata("k", "\xFF");
  CHECK_THROWS_AS(writer.save(folder / "m.safetensors"), recal::error);
  CHECK(SafetensorsFile::open(folder / "m.safetensors").read<float>("a") == two);
  CHECK(folder.count() == 1);
}

TEST_CASE("random files come back bit by bit, from memory and from the disk") {
  const recal::testing::TemporaryFolder folder;
  std::mt19937_64 random(5);
  const auto below = [&random](std::uint64_t n) { return static_cast<std::size_t>(random() % n); };
  const auto any_text = [&below] {
    constexpr std::string_view pieces[] = {"a", ".", "\"", "\\", "/", "\n", "\x01", "\xC3\xA9", "\xF0\x9F\x98\x80",
                                           "{"};
    std::string text;
    for (std::size_t left = below(6); left > 0; --left) text += pieces[below(std::size(pieces))];
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    SafetensorsWriter writer;
    std::map<std::string, std::string> metadata;
    for (std::size_t left = below(4); left > 0; --left) metadata[any_text()] = any_text();
    for (const auto& [key, value] : metadata) writer.set_metadata(key, value);
    struct Made {
      Dtype dtype;
      std::vector<Index> shape;
      std::vector<std::byte> bytes;
    };
    std::map<std::string, Made> made;
    for (std::size_t left = below(8); left > 0; --left) {
      const std::string name = any_text();
      if (made.contains(name)) continue;
      Made tensor{static_cast<Dtype>(1 + below(12)), {}, {}};
      std::size_t count = 1;
      for (std::size_t rank = below(5); rank > 0; --rank) {
        tensor.shape.push_back(static_cast<Index>(below(5)));
        count *= static_cast<std::size_t>(tensor.shape.back());
      }
      recal::io::detail::with_element(tensor.dtype, [&]<class T>(std::type_identity<T>) {
        tensor.bytes.resize(count * sizeof(T));
        for (std::byte& byte : tensor.bytes) byte = static_cast<std::byte>(below(256));
        std::vector<T> values(count);
        if (count > 0) std::memcpy(static_cast<void*>(values.data()), tensor.bytes.data(), tensor.bytes.size());
        writer.add<T>(name, tensor.shape, values);
      });
      made.emplace(name, std::move(tensor));
    }
    const std::vector<std::byte> bytes = writer.to_bytes();
    std::vector<SafetensorsFile> files{SafetensorsFile::from_memory(bytes)};
    if (round % 10 == 0) {  // flushing to the disk takes its time
      writer.save(folder / "m");
      files.push_back(SafetensorsFile::open(folder / "m"));
    }
    for (const SafetensorsFile& file : files) {
      REQUIRE(file.tensors().size() == made.size());
      REQUIRE(std::equal(metadata.begin(), metadata.end(), file.metadata().begin(), file.metadata().end()));
      for (const auto& [name, tensor] : made) {
        REQUIRE(file.tensor(name).dtype == tensor.dtype);
        REQUIRE(file.tensor(name).shape == tensor.shape);
        REQUIRE(file.bytes(name) == tensor.bytes);
      }
    }
  }
}
