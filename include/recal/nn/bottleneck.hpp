// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <recal/nn/block_kind.hpp>
#include <recal/nn/residual_block.hpp>

namespace recal::nn {

/// The residual block of ResNet-50 and 101: 1x1 down to `width` channels, 3x3 with the stride, 1x1 up to 4 width.
/// Names follow torchvision's Bottleneck.
template <class T, class Module>
[[nodiscard]] ResidualBlock<T, Module> bottleneck(Index in, Index width, Index stride, Module module) {
  return {{ConvNorm<T>(in, width, Conv2dOptions{.kernel = 1}),
           ConvNorm<T>(width, width, Conv2dOptions{.kernel = 3, .stride = stride, .padding = 1}),
           ConvNorm<T>(width, expansion(BlockKind::bottleneck) * width, Conv2dOptions{.kernel = 1})},
          std::move(module)};
}

/// The same with Module(4 width).
template <class T, class Module = NoModule>
[[nodiscard]] ResidualBlock<T, Module> bottleneck(Index in, Index width, Index stride) {
  return bottleneck<T>(in, width, stride, Module(expansion(BlockKind::bottleneck) * width));
}

}  // namespace recal::nn
