// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/temporary_folder.hpp"
#include "encode.hpp"
#include "loader.hpp"

namespace {

using animals::Batch;
using animals::Image;
using animals::ImageStore;
using animals::Index;
using animals::Loader;
using animals::PassPlan;
using animals::Sample;
using animals::testing::encode_png;
using animals::testing::write_file;
using recal::testing::TemporaryFolder;

constexpr int count = 23;

/// Pictures of one colour each, alternately of class 0 and 1; number 5 is broken.
struct Pictures {
  TemporaryFolder folder;
  std::vector<Sample> samples;

  Pictures() {
    for (int i = 0; i < count; ++i) {
      samples.push_back({std::to_string(i) + ".png", i % 2});
      Image image(20, 14);
      for (std::size_t k = 0; k < image.rgb.size(); ++k)
        image.rgb[k] = static_cast<std::uint8_t>(10 * i + static_cast<int>(k % 7));
      write_file(folder / samples.back().file, i == 5 ? animals::Bytes{'x'} : encode_png(image));
    }
  }
  [[nodiscard]] ImageStore store(Index most_bytes = 1 << 20) const {
    return {folder.path(), samples, {.short_side = 12, .most_bytes = most_bytes}};
  }
};

PassPlan small_plan(bool training) { return {.size = 8, .batch = 4, .training = training, .seed = 3, .epoch = 2}; }

std::vector<Batch> all_batches(ImageStore& store, const PassPlan& plan, const Loader::Options& options) {
  Loader loader(store, plan, options);
  std::vector<Batch> batches;
  while (auto batch = loader.next()) batches.push_back(std::move(*batch));
  return batches;
}

bool same(const Batch& a, const Batch& b) {
  return a.samples == b.samples && a.labels == b.labels && a.broken == b.broken &&
         a.images.shape() == b.images.shape() &&
         std::equal(a.images.data(), a.images.data() + a.images.size(), b.images.data());
}

TEST_CASE("batches do not depend on threads, memory, or how far ahead they are made") {
  const Pictures pictures;
  ImageStore reference_store = pictures.store();
  const auto reference = all_batches(reference_store, small_plan(true), {.threads = 1, .ahead = 1});
  REQUIRE(reference.size() == count / 4);
  for (const int threads : {1, 2, 5})
    for (const Index ahead : {1, 3, 100})
      for (const Index most_bytes : {0, 1 << 20}) {
        ImageStore store = pictures.store(most_bytes);
        const auto batches = all_batches(store, small_plan(true), {.threads = threads, .ahead = ahead});
        REQUIRE(batches.size() == reference.size());
        for (std::size_t i = 0; i < batches.size(); ++i) CHECK(same(batches[i], reference[i]));
      }
}

TEST_CASE("a pass can begin at any batch") {
  const Pictures pictures;
  ImageStore store = pictures.store();
  const auto whole = all_batches(store, small_plan(true), {});
  const auto rest = all_batches(store, small_plan(true), {.first = 3});
  REQUIRE(rest.size() == whole.size() - 3);
  for (std::size_t i = 0; i < rest.size(); ++i) CHECK(same(rest[i], whole[i + 3]));
  CHECK(all_batches(store, small_plan(true), {.first = 5}).empty());
}

TEST_CASE("order and augmentation change with seed and epoch") {
  const Pictures pictures;
  ImageStore store = pictures.store();
  PassPlan plan = small_plan(true);
  const auto first = all_batches(store, plan, {});
  CHECK(same(first[0], all_batches(store, plan, {})[0]));
  plan.epoch = 3;
  CHECK_FALSE(same(first[0], all_batches(store, plan, {})[0]));
  plan = small_plan(true);
  plan.seed = 4;
  CHECK_FALSE(same(first[0], all_batches(store, plan, {})[0]));
}

TEST_CASE("evaluation sees every sample once, in order, but for broken ones, which are named") {
  const Pictures pictures;
  ImageStore store = pictures.store();
  std::vector<Index> seen;
  std::vector<animals::Skipped> broken;
  for (const Batch& batch : all_batches(store, small_plan(false), {.threads = 2})) {
    CHECK(batch.images.shape() == recal::Shape{static_cast<Index>(batch.samples.size()), 3, 8, 8});
    for (std::size_t i = 0; i < batch.samples.size(); ++i) CHECK(batch.labels[i] == batch.samples[i] % 2);
    seen.insert(seen.end(), batch.samples.begin(), batch.samples.end());
    broken.insert(broken.end(), batch.broken.begin(), batch.broken.end());
  }
  std::vector<Index> expected(count);
  std::iota(expected.begin(), expected.end(), Index{0});
  std::erase(expected, Index{5});
  CHECK(seen == expected);
  REQUIRE(broken.size() == 1);
  CHECK(broken[0] == animals::Skipped{"5.png", "is plain text, not JPEG or PNG"});
}

TEST_CASE("a loader can be left early") {
  const Pictures pictures;
  ImageStore store = pictures.store();
  for (int i = 0; i < 20; ++i) {
    Loader loader(store, small_plan(true), {.threads = 3, .ahead = 2});
    if (i % 2 == 0) CHECK(loader.next().has_value());
  }
}

}  // namespace
