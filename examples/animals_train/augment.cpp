// SPDX-License-Identifier: Apache-2.0
#include "augment.hpp"

#include <algorithm>
#include <cmath>

namespace animals {

Crop random_crop(Index width, Index height, Random random, const AugmentOptions& options) {
  const auto w = static_cast<double>(width);
  const auto h = static_cast<double>(height);
  Crop crop;
  crop.flip = random.uniform() < options.flip;
  for (int trial = 0; trial < 10; ++trial) {
    const double area = w * h * random.uniform(options.smallest, options.largest);
    const double ratio = std::exp(random.uniform(std::log(options.narrowest), std::log(options.widest)));
    const double crop_w = std::sqrt(area * ratio);
    const double crop_h = std::sqrt(area / ratio);
    if (crop_w > w || crop_h > h) continue;
    crop.box = {random.uniform(0.0, w - crop_w), random.uniform(0.0, h - crop_h), crop_w, crop_h};
    return crop;
  }
  const double crop_w = std::min(w, h * options.widest);
  const double crop_h = std::min(h, w / options.narrowest);
  crop.box = {(w - crop_w) / 2, (h - crop_h) / 2, crop_w, crop_h};
  return crop;
}

Crop centre_crop(Index width, Index height) {
  const double side = 0.875 * static_cast<double>(std::min(width, height));
  return {{(static_cast<double>(width) - side) / 2, (static_cast<double>(height) - side) / 2, side, side}, false};
}

void to_planes(const Image& image, const Crop& crop, Index size, float* out) {
  std::vector<float> values;
  resample(image, crop.box, size, size, values);
  for (std::size_t c = 0; c < 3; ++c) {
    const auto scale = static_cast<float>(1.0 / (255.0 * normal_std.at(c)));
    const auto shift = static_cast<float>(-normal_mean.at(c) / normal_std.at(c));
    float* plane = out + static_cast<Index>(c) * size * size;
    for (Index y = 0; y < size; ++y) {
      for (Index x = 0; x < size; ++x) {
        const Index from = y * size + (crop.flip ? size - 1 - x : x);
        plane[y * size + x] = scale * values[static_cast<std::size_t>(3 * from) + c] + shift;
      }
    }
  }
}

}  // namespace animals
