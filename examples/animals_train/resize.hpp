// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "image.hpp"

namespace animals {

/// A rectangle in pixels; edges may lie between pixels.
struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  friend bool operator==(const Box&, const Box&) = default;
};

/// The box of `source` brought to width x height with a triangle filter as wide as a source step, so that nothing
/// aliases when the picture shrinks, and linear interpolation when it grows. Pixels beyond the source don't count.
/// out[3*(y*width + x) + channel] in [0, 255], resized as needed.
/// requires: the box overlaps the source; width, height >= 1
void resample(const Image& source, const Box& box, Index width, Index height, std::vector<float>& out);

/// The whole picture at width x height, by resample(), rounded.
[[nodiscard]] Image resized(const Image& source, Index width, Index height);

/// The picture with its short side brought to `short_side`; a smaller picture stays as it is.
[[nodiscard]] Image reduced(Image source, Index short_side);

}  // namespace animals
