// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "../support/temporary_folder.hpp"
#include "encode.hpp"
#include "random.hpp"
#include "resize.hpp"
#include "split.hpp"
#include "text.hpp"

namespace {

using animals::Image;
using animals::Index;
using animals::Inspected;
using animals::Sample;
using animals::Split;
using animals::testing::encode_jpeg;
using animals::testing::encode_png;
using animals::testing::write_file;
using recal::testing::TemporaryFolder;

Image pattern(std::uint64_t seed) {
  animals::Random random(seed, animals::Purpose::show);
  Image coarse(7, 7);
  for (auto& value : coarse.rgb) value = static_cast<std::uint8_t>(random.below(256));
  return animals::resized(coarse, 40, 40);
}

Inspected inspect(const TemporaryFolder& data) {
  return animals::inspect(animals::scan_folder(data.path()), [](Index, Index) {});
}

std::set<std::string> files_of(const std::vector<Sample>& samples) {
  std::set<std::string> files;
  for (const Sample& sample : samples) files.insert(sample.file);
  return files;
}

/// Samples without files: class c has counts[c], all different but for `copies` of the first of class 0.
Inspected made_up(const std::vector<int>& counts, int copies = 0) {
  Inspected result;
  std::uint64_t next = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    result.folder.classes.push_back("class" + std::to_string(c));
    for (int i = 0; i < counts[c]; ++i) {
      result.folder.samples.push_back({result.folder.classes[c] + "/" + std::to_string(i), static_cast<Index>(c)});
      animals::Fingerprint print;
      print.content = c == 0 && i < copies ? 0 : ++next;
      print.steps = {animals::Random(print.content, animals::Purpose::show).bits(), ~print.content};
      result.prints.push_back(print);
    }
  }
  return result;
}

TEST_CASE("each class is divided by its share, and the seed decides") {
  const Inspected all = made_up({100, 50, 7, 2});
  const Split split = animals::make_split(all, 0.2, 7);
  CHECK(animals::count_by_class(split.val, 4) == std::vector<Index>{20, 10, 1, 1});
  CHECK(animals::count_by_class(split.train, 4) == std::vector<Index>{80, 40, 6, 1});
  auto together = files_of(split.train);
  together.merge(files_of(split.val));
  CHECK(together.size() == 159);
  CHECK(animals::make_split(all, 0.2, 7).val == split.val);
  CHECK_FALSE(animals::make_split(all, 0.2, 8).val == split.val);
}

TEST_CASE("copies stay on one side and are counted") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Split split = animals::make_split(made_up({30, 10}, 5), 0.3, seed);
    CHECK(split.exact_copies == 4);
    const auto val = files_of(split.val);
    Index in_val = 0;
    for (int i = 0; i < 5; ++i) in_val += static_cast<Index>(val.count("class0/" + std::to_string(i)));
    CHECK((in_val == 0 || in_val == 5));
    CHECK(animals::count_by_class(split.val, 2)[1] == 3);
  }
}

TEST_CASE("a class of one picture is learned from; an empty one and a senseless share are refused") {
  const Split split = animals::make_split(made_up({1, 10}), 0.9, 1);
  CHECK(animals::count_by_class(split.train, 2) == std::vector<Index>{1, 1});
  CHECK_THROWS_WITH_AS(static_cast<void>(animals::make_split(made_up({0, 10}), 0.2, 1)),
                       doctest::Contains("class0 has no picture"), animals::failure);
  CHECK_THROWS_AS(static_cast<void>(animals::make_split(made_up({5, 10}), 0.0, 1)), animals::failure);
  CHECK_THROWS_AS(static_cast<void>(animals::make_split(made_up({5, 10}), 1.0, 1)), animals::failure);
}

TEST_CASE("files that give no picture are named and left out") {
  const TemporaryFolder data;
  for (std::uint64_t i = 0; i < 6; ++i)
    write_file(data / ("cane/" + std::to_string(i) + ".jpg"), encode_jpeg(pattern(i)));
  for (std::uint64_t i = 6; i < 12; ++i)
    write_file(data / ("cat/" + std::to_string(i) + ".jpg"), encode_png(pattern(i)));
  write_file(data / "cat/copy.png", encode_png(pattern(7)));
  write_file(data / "cat/web.jpg", {'R', 'I', 'F', 'F', 4, 0, 0, 0, 'W', 'E', 'B', 'P'});
  write_file(data / "cat/empty.jpg", {});
  const Split split = animals::make_split(inspect(data), 0.3, 7);
  CHECK(split.classes == std::vector<std::string>{"cat", "dog"});
  CHECK(split.train.size() + split.val.size() == 13);
  CHECK(split.exact_copies == 1);
  REQUIRE(split.skipped.size() == 2);
  CHECK(split.skipped[0] == animals::Skipped{"cat/empty.jpg", "is empty, not JPEG or PNG"});
  CHECK(split.skipped[1] == animals::Skipped{"cat/web.jpg", "is a WebP image, not JPEG or PNG"});
}

TEST_CASE("a split comes back from its file, and moves together with its data") {
  const TemporaryFolder place;
  Split split = animals::make_split(made_up({10, 5}), 0.2, 3);
  split.root = place / "data";
  split.skipped = {{"class0/x \"y\".jpg", "is empty, not JPEG or PNG"}};
  animals::write_split(place / "split.json", split);
  const Split back = animals::read_split(place / "split.json");
  CHECK(back.root == split.root);
  CHECK(back.classes == split.classes);
  CHECK(back.train == split.train);
  CHECK(back.val == split.val);
  CHECK(back.skipped == split.skipped);
  CHECK(back.seed == 3);
  CHECK(back.val_share == 0.2);
  std::filesystem::create_directories(place / "moved");
  std::filesystem::rename(place / "split.json", place / "moved/split.json");
  CHECK(animals::read_split(place / "moved/split.json").root == place / "moved/data");
}

TEST_CASE("what is no split is refused by name") {
  const TemporaryFolder place;
  const auto file = place / "split.json";
  const auto refuse = [&](const std::string& content, const char* part) {
    std::ofstream(file) << content;
    CHECK_THROWS_WITH_AS(static_cast<void>(animals::read_split(file)), doctest::Contains(part), animals::failure);
  };
  CHECK_THROWS_WITH_AS(static_cast<void>(animals::read_split(file)), doctest::Contains("there is no such file"),
                       animals::failure);
  refuse("", "no sound split");
  refuse("[1]", "split");
  refuse("{}", "is not a split");
  refuse(R"({"format":"animals_train split","version":9})", "version 9, expected 1");
  refuse(R"({"format":"animals_train split","version":1})", "no sound split");
  const std::string head = R"({"format":"animals_train split","version":1,"root":".","seed":1,"val_share":0.2,)"
                           R"("exact_copies":0,"near_copies":0,"skipped":{},"classes":["a","b"],)";
  refuse(head + R"("train":{"a":["../../etc/passwd"],"b":[]},"val":{"a":[],"b":[]}})", "not below the data folder");
  refuse(head + R"("train":{"a":["/etc/passwd"],"b":[]},"val":{"a":[],"b":[]}})", "not below the data folder");
  refuse(head + R"("train":{"a":[]},"val":{"a":[],"b":[]}})", "lists 1 classes, expected 2");
}

}  // namespace
