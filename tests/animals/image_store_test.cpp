// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include <doctest/doctest.h>

#include "../support/temporary_folder.hpp"
#include "encode.hpp"
#include "image_store.hpp"
#include "text.hpp"

namespace {

using animals::ImageStore;
using animals::Index;
using animals::testing::encode_png;
using animals::testing::gradient;
using animals::testing::write_file;
using recal::testing::TemporaryFolder;

TEST_CASE("pictures are reduced, and kept while there is room") {
  const TemporaryFolder data;
  for (const char* name : {"a.png", "b.png", "c.png"}) write_file(data / name, encode_png(gradient(64, 32)));
  const Index one = 3 * 16 * 8;
  ImageStore store(data.path(), {{"a.png", 0}, {"b.png", 1}, {"c.png", 0}}, {.short_side = 8, .most_bytes = 2 * one});
  CHECK(store.size() == 3);
  CHECK(store.sample(1).label == 1);
  const auto first = store.get(0);
  CHECK(first->width == 16);
  CHECK(first->height == 8);
  CHECK(store.get(0) == first);
  CHECK(store.bytes_kept() == one);
  CHECK(*store.get(1) == *first);
  CHECK(*store.get(2) == *first);
  CHECK(store.bytes_kept() == 2 * one);
  CHECK(store.get(2) != store.get(2));

  std::filesystem::remove(data / "a.png");
  std::filesystem::remove(data / "c.png");
  CHECK(store.get(0) == first);
  CHECK_THROWS_WITH_AS(static_cast<void>(store.get(2)), "there is no such file", animals::failure);
}

}  // namespace
