// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/temporary_folder.hpp"
#include "encode.hpp"
#include "folder.hpp"
#include "text.hpp"

namespace {

using animals::Folder;
using animals::Sample;
using animals::scan_folder;
using animals::testing::write_file;
using recal::testing::TemporaryFolder;

TEST_CASE("every file below a class folder counts, in order; others do not") {
  const TemporaryFolder data;
  for (const char* name : {"dog/-b (1)%.JPG", "dog/a.png", "dog/deeper/c.jpg", "cane/d.jpg", "cat/x", "manifest.csv",
                           ".git/config", "dog/.DS_Store", "cat/.hidden/y.jpg"})
    write_file(data / name, {1});
  const Folder folder = scan_folder(data.path());
  CHECK(folder.classes == std::vector<std::string>{"cat", "dog"});
  CHECK(folder.samples ==
        std::vector<Sample>{
            {"cane/d.jpg", 1}, {"cat/x", 0}, {"dog/-b (1)%.JPG", 1}, {"dog/a.png", 1}, {"dog/deeper/c.jpg", 1}});
  CHECK(folder.skipped.empty());
}

TEST_CASE("a single folder of class folders is looked into") {
  const TemporaryFolder data;
  write_file(data / "raw-img/cane/a.jpeg", {1});
  write_file(data / "raw-img/gatto/b.jpeg", {1});
  write_file(data / "translate.py", {1});
  const Folder folder = scan_folder(data.path());
  CHECK(folder.root == data / "raw-img");
  CHECK(folder.classes == std::vector<std::string>{"cat", "dog"});
}

TEST_CASE("a file name that JSON cannot hold is left out") {
  const TemporaryFolder data;
  write_file(data / "a/\xFF.jpg", {1});
  write_file(data / "b/c.jpg", {1});
  const Folder folder = scan_folder(data.path());
  CHECK(folder.samples.size() == 1);
  REQUIRE(folder.skipped.size() == 1);
  CHECK(folder.skipped[0].reason == "has a name that is not valid UTF-8");
}

TEST_CASE("what is no folder of class folders is refused") {
  const TemporaryFolder data;
  CHECK_THROWS_WITH_AS(static_cast<void>(scan_folder(data / "none")), doctest::Contains("does not exist"),
                       animals::failure);
  write_file(data / "only/a.jpg", {1});
  CHECK_THROWS_WITH_AS(static_cast<void>(scan_folder(data.path())),
                       doctest::Contains("1 class folder(s), at least two"), animals::failure);
  CHECK_THROWS_WITH_AS(static_cast<void>(scan_folder(data / "only/a.jpg")), doctest::Contains("is not a folder"),
                       animals::failure);
}

}  // namespace
