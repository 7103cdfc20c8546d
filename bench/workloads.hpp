// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include <recal/core/shape.hpp>

namespace bench {

/// A map to work on. bench/peers/pytorch.py has the same list.
struct Workload {
  const char* name;
  recal::Shape shape;
};

/// Two maps that no cache holds, with large and with small planes, and the outputs of ResNet-50's stages.
inline constexpr std::array workloads{
    Workload{"64MiB", {.n = 16, .c = 256, .h = 64, .w = 64}},
    Workload{"98MiB", {.n = 256, .c = 2048, .h = 7, .w = 7}},
    Workload{"8x256x56x56", {.n = 8, .c = 256, .h = 56, .w = 56}},
    Workload{"8x512x28x28", {.n = 8, .c = 512, .h = 28, .w = 28}},
    Workload{"8x1024x14x14", {.n = 8, .c = 1024, .h = 14, .w = 14}},
    Workload{"8x2048x7x7", {.n = 8, .c = 2048, .h = 7, .w = 7}},
};

/// A convolution of ResNet-50 for images of 224 pixels; `size` is the input's height and width, `count` how often it
/// occurs.
struct Layer {
  recal::Index kernel;
  recal::Index stride;
  recal::Index in;
  recal::Index out;
  recal::Index size;
  recal::Index count;

  [[nodiscard]] constexpr recal::Index padding() const { return kernel / 2; }
  [[nodiscard]] constexpr recal::Index output_size() const { return size / stride; }
  [[nodiscard]] constexpr double flops(recal::Index batch) const {
    return 2.0 * static_cast<double>(batch * out * output_size() * output_size() * in * kernel * kernel);
  }
  [[nodiscard]] constexpr bool sees_images() const { return in == 3; }

  /// Such as 3x3s2_128_128_56.
  [[nodiscard]] std::string name() const {
    const std::string side = std::to_string(kernel);
    return side + 'x' + side + 's' + std::to_string(stride) + '_' + std::to_string(in) + '_' + std::to_string(out) +
           '_' + std::to_string(size);
  }
};

inline constexpr std::array resnet50_layers{
    Layer{7, 2, 3, 64, 224, 1},   Layer{1, 1, 64, 64, 56, 1},     Layer{1, 1, 256, 64, 56, 2},
    Layer{3, 1, 64, 64, 56, 3},   Layer{1, 1, 64, 256, 56, 4},    Layer{1, 1, 256, 128, 56, 1},
    Layer{3, 2, 128, 128, 56, 1}, Layer{1, 2, 256, 512, 56, 1},   Layer{1, 1, 512, 128, 28, 3},
    Layer{3, 1, 128, 128, 28, 3}, Layer{1, 1, 128, 512, 28, 4},   Layer{1, 1, 512, 256, 28, 1},
    Layer{3, 2, 256, 256, 28, 1}, Layer{1, 2, 512, 1024, 28, 1},  Layer{1, 1, 1024, 256, 14, 5},
    Layer{3, 1, 256, 256, 14, 5}, Layer{1, 1, 256, 1024, 14, 6},  Layer{1, 1, 1024, 512, 14, 1},
    Layer{3, 2, 512, 512, 14, 1}, Layer{1, 2, 1024, 2048, 14, 1}, Layer{1, 1, 2048, 512, 7, 2},
    Layer{3, 1, 512, 512, 7, 2},  Layer{1, 1, 512, 2048, 7, 3},
};

/// Samples of every convolution that is measured by itself.
inline constexpr recal::Index layer_batch = 8;

/// Of the convolutions of one forward pass; `pixels` is a multiple of 32.
[[nodiscard]] constexpr double resnet50_flops(recal::Index pixels, recal::Index batch) {
  double flops = 0;
  for (const Layer& layer : resnet50_layers) flops += static_cast<double>(layer.count) * layer.flops(batch);
  const double scale = static_cast<double>(pixels) / 224.0;
  return flops * scale * scale;
}

/// A batch of images.
struct Images {
  recal::Index pixels;
  recal::Index batch;

  /// Such as 64px_b16.
  [[nodiscard]] std::string name() const { return std::to_string(pixels) + "px_b" + std::to_string(batch); }
  [[nodiscard]] recal::Shape shape() const { return {.n = batch, .c = 3, .h = pixels, .w = pixels}; }
};

}  // namespace bench
