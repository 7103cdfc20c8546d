// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/nn/residual_block.hpp>

namespace recal::nn {

/// The residual block of ResNet-50 and 101: 1x1 down to `width` channels, 3x3 with the stride, 1x1 up to 4 width.
/// See ResidualBlock for its functions. Names follow torchvision's Bottleneck.
template <class T, class Module = NoModule>
class Bottleneck : public ResidualBlock<T, Module, 3> {
 public:
  /// Output channels per unit of width.
  static constexpr Index expansion = 4;

  using ModuleType = Module;

  Bottleneck(Index in, Index width, Index stride, Module own_module)
      : ResidualBlock<T, Module, 3>(
            {ConvNorm<T>(in, width, Conv2dOptions{.kernel = 1}),
             ConvNorm<T>(width, width, Conv2dOptions{.kernel = 3, .stride = stride, .padding = 1}),
             ConvNorm<T>(width, expansion * width, Conv2dOptions{.kernel = 1})},
            std::move(own_module), in, stride) {}

  Bottleneck(Index in, Index width, Index stride) : Bottleneck(in, width, stride, Module(expansion * width)) {}
};

}  // namespace recal::nn
