// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/core/shape.hpp>

namespace recal::cpu {

/// A piece of a product: output pixels [first, last), counted through all images, and channels [channel, channel_end).
struct Tile {
  Index first, last, channel, channel_end;
};

/// Pixels of one image: `count` from pixel `first` on.
struct ImageRun {
  Index image, first, count;
};

/// f(run, p) for what is in each image of the pixels [first, last), counted through all images of `positions`; the run
/// begins at pixel p of these.
template <class F>
void for_each_image(Index first, Index last, Index positions, const F& f) {
  for (Index p = first; p < last;) {
    const Index image = p / positions;
    const ImageRun run{image, p - image * positions, std::min(last, (image + 1) * positions) - p};
    f(run, p);
    p += run.count;
  }
}

/// Tasks from which on every core has enough to do.
inline constexpr Index enough_tasks = 8;

/// How the output pixels of all images and the output channels of a product are cut into tasks: a function of the sizes
/// alone.
class TaskGrid {
 public:
  /// Of a tile, about.
  static constexpr Index most_pixels = 256;

  struct Sizes {
    Index images, positions;  ///< output pixels of an image
    Index unit;               ///< of which pixels that stay together
    Index channels;
    Index channel_unit;    ///< of which channels that stay together
    Index least_channels;  ///< fewer are not worth that another task looks at the same pixels
    Index most_channels;   ///< of a task
    Index most_pixels = TaskGrid::most_pixels;
  };

  /// For so many such products at once.
  TaskGrid(const Sizes& sizes, Index copies) : sizes_(sizes) {
    const auto& [images, positions, unit, channels, channel_unit, least, most, pixels] = sizes;
    units_ = (positions + unit - 1) / unit;
    pieces_ = std::clamp<Index>((positions + pixels / 2) / pixels, 1, units_);
    const Index joined = std::max<Index>(1, pixels / positions);
    tiles_ = pieces_ > 1 ? images * pieces_ : (images + joined - 1) / joined;
    panels_ = (channels + channel_unit - 1) / channel_unit;
    splits_ = std::max<Index>(1, (channels + most - 1) / most);
    while (tiles_ * copies * splits_ < enough_tasks && channels / (splits_ + 1) >= least) ++splits_;
    splits_ = std::min(splits_, panels_);
  }

  [[nodiscard]] Index size() const { return tiles_ * splits_; }

  [[nodiscard]] Tile operator[](Index task) const {
    const Index split = task % splits_;
    const Index tile = task / splits_;
    const auto channel = [&](Index s) {
      return std::min(sizes_.channels, panels_ * s / splits_ * sizes_.channel_unit);
    };
    return {first_pixel(tile), first_pixel(tile + 1), channel(split), channel(split + 1)};
  }

 private:
  [[nodiscard]] Index first_pixel(Index tile) const {
    const Index positions = sizes_.positions;
    if (pieces_ == 1) return sizes_.images * tile / tiles_ * positions;
    return tile / pieces_ * positions + std::min(positions, units_ * (tile % pieces_) / pieces_ * sizes_.unit);
  }

  Sizes sizes_;
  Index units_ = 1;   ///< of an image
  Index pieces_ = 1;  ///< of an image
  Index tiles_ = 1;
  Index panels_ = 1;
  Index splits_ = 1;
};

}  // namespace recal::cpu
