// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <recal/nn/residual_block.hpp>

namespace recal::nn {

/// The residual block of ResNet-18 and 34: two 3x3 convolutions, the first with the stride; `width` channels come out.
/// Names follow torchvision's BasicBlock.
template <class T, class Module>
[[nodiscard]] ResidualBlock<T, Module> basic_block(Index in, Index width, Index stride, Module module) {
  return {{ConvNorm<T>(in, width, Conv2dOptions{.kernel = 3, .stride = stride, .padding = 1}),
           ConvNorm<T>(width, width, Conv2dOptions{.kernel = 3, .padding = 1})},
          std::move(module)};
}

/// The same with Module(width).
template <class T, class Module = NoModule>
[[nodiscard]] ResidualBlock<T, Module> basic_block(Index in, Index width, Index stride) {
  return basic_block<T>(in, width, stride, Module(width));
}

}  // namespace recal::nn
