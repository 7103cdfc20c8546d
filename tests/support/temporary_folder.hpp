// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <stdlib.h>  // mkdtemp

#include <recal/core/error.hpp>

namespace recal::testing {

/// A fresh folder that is removed with everything in it at the end of life.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "recal-test-XXXXXX").string();
    check(::mkdtemp(name.data()) != nullptr, "no temporary folder ", name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// How many entries the folder has, hidden ones included.
  [[nodiscard]] std::size_t count() const {
    std::size_t result = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++result;
    return result;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace recal::testing
