// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>

#include "folder.hpp"

namespace animals {

/// The pictures of a list of samples, decoded at a reduced size on demand and then kept in memory as long as there is
/// room: after the first epoch nothing is decoded again. What get() gives does not depend on what is kept.
class ImageStore {
 public:
  struct Options {
    Index short_side = 96;               ///< pictures are reduced to this short side
    Index most_bytes = Index{1} << 31U;  ///< what may be kept
  };

  ImageStore(std::filesystem::path root, std::vector<Sample> samples, const Options& options);

  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(samples_.size()); }
  [[nodiscard]] const Sample& sample(Index i) const { return samples_[static_cast<std::size_t>(i)]; }

  /// Safe from several threads. Throws failure where the file gives no picture.
  [[nodiscard]] std::shared_ptr<const Image> get(Index i);

  /// Bytes of pixels kept.
  [[nodiscard]] Index bytes_kept() const;

 private:
  std::filesystem::path root_;
  std::vector<Sample> samples_;
  Options options_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Image>> kept_;
  Index bytes_kept_ = 0;
};

}  // namespace animals
