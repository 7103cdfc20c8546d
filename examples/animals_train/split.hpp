// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "fingerprint.hpp"
#include "folder.hpp"

namespace animals {

/// Which photographs are learned from and which are held back.
struct Split {
  std::filesystem::path root;  ///< where the files lie
  std::vector<std::string> classes;
  std::uint64_t seed = 0;
  double val_share = 0;
  Index exact_copies = 0;
  Index near_copies = 0;
  std::vector<Sample> train;
  std::vector<Sample> val;
  std::vector<Skipped> skipped;
};

/// A folder whose files were all looked into.
struct Inspected {
  Folder folder;                    ///< samples: those that decode; skipped: all others, named
  std::vector<Fingerprint> prints;  ///< of folder.samples
};

/// Decodes every file, on all threads. `report(done, of)` is called now and then, never by two threads at once.
[[nodiscard]] Inspected inspect(Folder folder, const std::function<void(Index, Index)>& report);

/// Takes `val_share` of every class for validation, chosen by seed, as exactly as groups of copies allow, which stay
/// together. Every class keeps at least one group on either side where it has two. Throws failure unless 0 < val_share
/// < 1, and where a class has no sample left.
[[nodiscard]] Split make_split(const Inspected& inspected, double val_share, std::uint64_t seed);

/// JSON; the root is written relative to the folder of `path`, so that both can move together.
void write_split(const std::filesystem::path& path, const Split& split);

/// Throws failure where the file is no split or holds labels and names that make no sense.
[[nodiscard]] Split read_split(const std::filesystem::path& path);

/// The number of samples of each class.
[[nodiscard]] std::vector<Index> count_by_class(const std::vector<Sample>& samples, std::size_t classes);

}  // namespace animals
