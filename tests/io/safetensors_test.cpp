// SPDX-License-Identifier: Apache-2.0
#include <recal/io/safetensors.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <tests/fuzz/exercise_safetensors.hpp>
#include <tests/support/temporary_folder.hpp>

using recal::Index;
using recal::io::Dtype;
using recal::io::SafetensorsFile;
using recal::io::SafetensorsWriter;

namespace {

using Bytes = std::vector<std::byte>;

/// A file's bytes from a header and `data_bytes` bytes 0, 1, 2, ... behind it.
Bytes file_of(const std::string& json, std::size_t data_bytes) {
  Bytes bytes(8 + json.size() + data_bytes);
  const std::uint64_t length = json.size();
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, json.data(), json.size());
  for (std::size_t i = 0; i < data_bytes; ++i) bytes[8 + json.size() + i] = static_cast<std::byte>(i);
  return bytes;
}

Bytes with_length(std::uint64_t length, std::size_t bytes_behind) {
  Bytes bytes(8 + bytes_behind);
  std::memcpy(bytes.data(), &length, 8);
  return bytes;
}

void put(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  for (const std::byte byte : bytes) file.put(static_cast<char>(byte));
}

template <class T>
std::span<const T> span_of(const std::vector<T>& values) {
  return values;
}

/// Several small files that have everything the format knows.
std::vector<Bytes> samples() {
  std::vector<Bytes> result;
  SafetensorsWriter writer;
  result.push_back(writer.to_bytes());
  writer.add<float>("conv1.weight", {2, 1, 2, 2}, span_of<float>({1, -2, 3, 4, 5, 6, 7, 8}));
  result.push_back(writer.to_bytes());
  writer.set_metadata("format", "pt");
  writer.add<std::int64_t>("num_batches_tracked", {}, span_of<std::int64_t>({7}));
  writer.add<std::uint8_t>("mask", {3}, span_of<std::uint8_t>({1, 0, 255}));
  writer.add<double>("empty", {0, 4}, {});
  result.push_back(writer.to_bytes());
  writer.set_metadata("na\"me", "v\xC3\xA9lo\n");
  writer.add<recal::half>("h", {2}, span_of<recal::half>({recal::half(1.0F), recal::half(-2.0F)}));
  writer.add<recal::bfloat16>("b", {1, 1}, span_of<recal::bfloat16>({recal::bfloat16(1.0F)}));
  writer.add<std::int16_t>("i", {2}, span_of<std::int16_t>({-1, 2}));
  result.push_back(writer.to_bytes());
  return result;
}

}  // namespace

TEST_CASE("a tensor is read with dtype, shape, bytes and values, from memory and from a file") {
  const Bytes bytes = samples()[2];
  const recal::testing::TemporaryFolder folder;
  put(folder / "m.safetensors", bytes);
  for (const auto& file : {SafetensorsFile::from_memory(bytes), SafetensorsFile::open(folder / "m.safetensors")}) {
    CHECK(file.tensors().size() == 4);
    CHECK(file.metadata().at("format") == "pt");
    CHECK(file.has("mask"));
    CHECK_FALSE(file.has("Mask"));
    CHECK(file.tensor("conv1.weight").dtype == Dtype::f32);
    CHECK(file.tensor("conv1.weight").shape == std::vector<Index>{2, 1, 2, 2});
    CHECK(file.read<float>("conv1.weight") == std::vector<float>{1, -2, 3, 4, 5, 6, 7, 8});
    CHECK(file.read<double>("conv1.weight")[1] == -2);
    CHECK(file.read<std::int64_t>("num_batches_tracked") == std::vector<std::int64_t>{7});
    CHECK(file.bytes("mask") == Bytes{std::byte{1}, std::byte{0}, std::byte{255}});
    CHECK(file.read<double>("empty").empty());
    std::vector<float> into(8);
    file.read_into<float>("conv1.weight", into);
    CHECK(into[7] == 8);
  }
  CHECK(SafetensorsFile::open(folder / "m.safetensors").source() == (folder / "m.safetensors").string());
}

TEST_CASE("asking for what is not there names the file and both sides") {
  const Bytes bytes = samples()[2];
  const auto file = SafetensorsFile::from_memory(bytes, "m");
  CHECK_THROWS_WITH_AS((void)file.tensor("fc"), "recal: m: has no tensor \"fc\"", recal::error);
  CHECK_THROWS_WITH_AS((void)file.bytes("fc"), "recal: m: has no tensor \"fc\"", recal::error);
  std::vector<float> few(7, 5);
  CHECK_THROWS_WITH_AS(file.read_into<float>("conv1.weight", few),
                       "recal: m: tensor \"conv1.weight\" has 8 elements, expected 7", recal::error);
  CHECK(few == std::vector<float>(7, 5));
  CHECK_THROWS_WITH_AS((void)file.read<float>("mask"), "recal: m: tensor \"mask\" is U8, which is not read as F32",
                       recal::error);
  CHECK_THROWS_WITH_AS((void)file.read<std::int8_t>("mask"),
                       "recal: m: tensor \"mask\" holds 255 at 2, which does not fit I8", recal::error);
}

TEST_CASE("the length of the header is checked before it is trusted") {
  const auto refused = [](const Bytes& bytes, const char* message) {
    CHECK_THROWS_WITH_AS((void)SafetensorsFile::from_memory(bytes, "m"), message, recal::error);
  };
  refused({}, "recal: m: has 0 bytes, a safetensors file has at least 8");
  refused(Bytes(7), "recal: m: has 7 bytes, a safetensors file has at least 8");
  refused(with_length(100'000'001, 0),
          "recal: m: says that its header has 100000001 bytes, at most 100000000 are allowed");
  refused(with_length(0xFFFFFFFFFFFFFFFF, 8),
          "recal: m: says that its header has 18446744073709551615 bytes, at most 100000000 are allowed");
  refused(with_length(9, 8), "recal: m: says that its header has 9 bytes, the file has 8 left");
  refused(with_length(0, 0), "recal: m: the header does not begin with {");
  refused(file_of("{}", 1), "recal: m: the tensors end at byte 0 of the data, which has 1");
}

TEST_CASE("a file that is cut at any byte is refused") {
  const Bytes whole = samples()[3];
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_THROWS_AS((void)SafetensorsFile::from_memory(std::span(whole).first(length)), recal::error);
  CHECK(SafetensorsFile::from_memory(whole).tensors().size() == 7);
}

TEST_CASE("a file that shrinks after it was opened gives an error, not other numbers") {
  const recal::testing::TemporaryFolder folder;
  put(folder / "m", samples()[1]);
  const auto file = SafetensorsFile::open(folder / "m");
  std::filesystem::resize_file(folder / "m", 100);
  CHECK_THROWS_WITH_AS((void)file.read<float>("conv1.weight"), doctest::Contains("ends at byte 100"), recal::error);
}

TEST_CASE("data that is not aligned is read") {
  const Bytes bytes = file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                              R"("b":{"dtype":"U32","shape":[1],"data_offsets":[1,5]}})",
                              5);
  CHECK(SafetensorsFile::from_memory(bytes).read<std::uint32_t>("b")[0] == 0x04030201);
  CHECK(SafetensorsFile::from_memory(bytes).read<std::int64_t>("b")[0] == 0x04030201);
}

TEST_CASE("random damage is either refused or leaves a valid file") {
  const std::vector<Bytes> originals = samples();
  std::mt19937_64 random(2024);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const auto at = [](std::size_t i) { return static_cast<std::ptrdiff_t>(i); };
  constexpr std::uint8_t telling[] = {0, 1, 0x7F, 0x80, 0xFF, '{', '}', '[', ']', '"', ',', ':', '0', '9', '-', '\\'};
  int accepted = 0;
  int refused = 0;
  for (int round = 0; round < 40000; ++round) {
    Bytes bytes = originals[below(originals.size())];
    for (std::size_t edits = 1 + below(3); edits > 0 && !bytes.empty(); --edits) {
      const std::size_t place = below(bytes.size());
      switch (below(6)) {
        case 0:
          bytes[place] ^= std::byte{1} << below(8);
          break;
        case 1:
          bytes[place] = std::byte{telling[below(std::size(telling))]};
          break;
        case 2:
          bytes.insert(bytes.begin() + at(place), std::byte{telling[below(std::size(telling))]});
          break;
        case 3:
          bytes.erase(bytes.begin() + at(place));
          break;
        case 4:
          bytes.resize(place);
          break;
        default:
          bytes[below(std::min<std::size_t>(bytes.size(), 8))] = static_cast<std::byte>(below(256));
      }
    }
    (recal::testing::exercise_safetensors(bytes) ? accepted : refused) += 1;
  }
  CHECK(accepted > 1000);
  CHECK(refused > 1000);
}
