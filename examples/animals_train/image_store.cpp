// SPDX-License-Identifier: Apache-2.0
#include "image_store.hpp"

#include <utility>

#include "decode.hpp"
#include "resize.hpp"

namespace animals {

ImageStore::ImageStore(std::filesystem::path root, std::vector<Sample> samples, const Options& options)
    : root_(std::move(root)), samples_(std::move(samples)), options_(options), kept_(samples_.size()) {}

std::shared_ptr<const Image> ImageStore::get(Index i) {
  const auto at = static_cast<std::size_t>(i);
  {
    const std::lock_guard lock(mutex_);
    if (kept_[at]) return kept_[at];
  }
  Image decoded = load_image(root_ / samples_[at].file, {.short_side = options_.short_side});
  auto image = std::make_shared<const Image>(reduced(std::move(decoded), options_.short_side));
  const auto bytes = static_cast<Index>(image->rgb.size());
  const std::lock_guard lock(mutex_);
  if (!kept_[at] && bytes_kept_ + bytes <= options_.most_bytes) {
    kept_[at] = image;
    bytes_kept_ += bytes;
  }
  return image;
}

Index ImageStore::bytes_kept() const {
  const std::lock_guard lock(mutex_);
  return bytes_kept_;
}

}  // namespace animals
