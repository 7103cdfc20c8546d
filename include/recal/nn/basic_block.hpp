// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/nn/residual_block.hpp>

namespace recal::nn {

/// The residual block of ResNet-18 and 34: two 3x3 convolutions, the first with the stride.
/// See ResidualBlock for its functions. Names follow torchvision's BasicBlock.
template <class T, class Module = NoModule>
class BasicBlock : public ResidualBlock<T, Module, 2> {
 public:
  /// Output channels per unit of width.
  static constexpr Index expansion = 1;

  using ModuleType = Module;

  BasicBlock(Index in, Index width, Index stride, Module own_module)
      : ResidualBlock<T, Module, 2>({ConvNorm<T>(in, width, Conv2dOptions{.kernel = 3, .stride = stride, .padding = 1}),
                                     ConvNorm<T>(width, width, Conv2dOptions{.kernel = 3, .padding = 1})},
                                    std::move(own_module), in, stride) {}

  BasicBlock(Index in, Index width, Index stride) : BasicBlock(in, width, stride, Module(width)) {}
};

}  // namespace recal::nn
