// SPDX-License-Identifier: Apache-2.0
#include <recal/io/input_file.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include <sys/stat.h>

#include <doctest/doctest.h>

#include <tests/support/temporary_folder.hpp>

using recal::io::InputFile;
using recal::testing::TemporaryFolder;

namespace {

void put(const std::filesystem::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string read(const InputFile& file, std::uint64_t offset, std::size_t count) {
  std::string result(count, '?');
  file.read(offset, std::as_writable_bytes(std::span(result)));
  return result;
}

}  // namespace

TEST_CASE("a file is read at any offset, also after it was replaced or deleted") {
  const TemporaryFolder folder;
  put(folder / "a", "0123456789");
  const InputFile file(folder / "a");
  CHECK(file.size() == 10);
  CHECK(read(file, 3, 4) == "3456");
  put(folder / "b", "changed");
  std::filesystem::rename(folder / "b", folder / "a");
  CHECK(read(file, 0, 10) == "0123456789");
  std::filesystem::remove(folder / "a");
  CHECK(read(file, 9, 1) == "9");
  CHECK(read(file, 10, 0).empty());
}

TEST_CASE("reading past the end says where the file ends") {
  const TemporaryFolder folder;
  put(folder / "a", "0123456789");
  const InputFile file(folder / "a");
  CHECK_THROWS_WITH_AS(read(file, 8, 5), doctest::Contains("ends at byte 10, 3 bytes more were expected"),
                       recal::error);
}

TEST_CASE("what is no regular file is refused without waiting for it") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(InputFile(folder / "none"), doctest::Contains("none: cannot be opened: No such file"),
                       recal::error);
  CHECK_THROWS_WITH_AS(InputFile(folder.path()), doctest::Contains("is not a regular file"), recal::error);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(InputFile(folder / "pipe"), doctest::Contains("is not a regular file"), recal::error);
}
