// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "image.hpp"

namespace animals {

/// A file and the class that its folder stands for.
struct Sample {
  std::string file;  ///< below the data root, with '/' between folders
  Index label = 0;   ///< into the list of classes

  friend bool operator==(const Sample&, const Sample&) = default;
};

/// A file that was left out.
struct Skipped {
  std::string file;
  std::string reason;

  friend bool operator==(const Skipped&, const Skipped&) = default;
};

struct Folder {
  std::filesystem::path root;        ///< the folder that holds the class folders
  std::vector<std::string> classes;  ///< in alphabetical order
  std::vector<Sample> samples;       ///< by class folder, then by name
  std::vector<Skipped> skipped;
};

/// Every file below the class folders of `data`. Files beside them and hidden ones are passed over; files within
/// folders of a class folder count. Where `data` holds a single folder which itself holds folders (Kaggle's "raw-img"),
/// that one is taken. Throws failure where there are fewer than two classes.
[[nodiscard]] Folder scan_folder(const std::filesystem::path& data);

}  // namespace animals
