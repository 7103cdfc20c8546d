// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "random.hpp"
#include "resize.hpp"

namespace animals {

/// Which part of a picture becomes the network's input, and whether it is mirrored.
struct Crop {
  Box box;
  bool flip = false;

  friend bool operator==(const Crop&, const Crop&) = default;
};

/// How large random crops are, as parts of the area, and how wide, as width / height.
struct AugmentOptions {
  double smallest = 0.35;
  double largest = 1.0;
  double narrowest = 3.0 / 4.0;
  double widest = 4.0 / 3.0;
  double flip = 0.5;
};

/// Random resized crop and flip: area uniform, log of the ratio uniform, place uniform (Szegedy et al. 2015).
/// A picture in which no such crop fits in ten trials gives its largest middle part within the ratios.
[[nodiscard]] Crop random_crop(Index width, Index height, Random random, const AugmentOptions& options = {});

/// The middle square of 7/8 of the short side, not mirrored: what evaluation looks at.
[[nodiscard]] Crop centre_crop(Index width, Index height);

/// Means and standard deviations of red, green, blue in [0, 1] over ImageNet.
inline constexpr std::array<double, 3> normal_mean{0.485, 0.456, 0.406};
inline constexpr std::array<double, 3> normal_std{0.229, 0.224, 0.225};

/// The crop at size x size, normalised, as three planes: out[(c*size + y)*size + x] = (value/255 - mean[c]) / std[c].
/// requires: out has room for 3*size*size
void to_planes(const Image& image, const Crop& crop, Index size, float* out);

}  // namespace animals
