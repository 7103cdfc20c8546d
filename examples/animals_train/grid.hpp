// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "folder.hpp"

namespace animals {

struct GridOptions {
  Index columns = 8;
  Index rows = 0;   ///< 0: one row a class
  Index tile = 96;  ///< pixels of a picture's longer side
  std::uint64_t seed = 1;
  bool augment = false;  ///< show what training sees: random crops, mirrored or not
};

/// Samples at random, as many of each class as places allow, in rows by class where there is one row a class.
/// Pictures that do not decode are passed over and listed in `skipped`.
[[nodiscard]] Image make_grid(const std::filesystem::path& root, const std::vector<Sample>& samples,
                              const std::vector<std::string>& classes, const GridOptions& options,
                              std::vector<Skipped>& skipped);

/// Writes an 8-bit RGB PNG, atomically.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace animals
