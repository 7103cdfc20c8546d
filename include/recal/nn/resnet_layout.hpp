// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include <recal/core/shape.hpp>
#include <recal/nn/block_kind.hpp>

namespace recal::nn {

/// What stands before the first stage.
///   large: 7x7 convolution with stride 2, then 3x3 max pooling with stride 2; for photographs
///   small: 3x3 convolution with stride 1; for images of some 32 pixels
enum class Stem { large, small };

/// The blocks of a residual network: their kind, and how many stand in each of the four stages.
/// Source: He et al. 2016, table 1.
struct ResNetLayout {
  BlockKind block = BlockKind::bottleneck;
  std::array<Index, 4> depths{3, 4, 6, 3};
};

inline constexpr ResNetLayout resnet18{BlockKind::basic, {2, 2, 2, 2}};
inline constexpr ResNetLayout resnet34{BlockKind::basic, {3, 4, 6, 3}};
inline constexpr ResNetLayout resnet50{BlockKind::bottleneck, {3, 4, 6, 3}};
inline constexpr ResNetLayout resnet101{BlockKind::bottleneck, {3, 4, 23, 3}};

}  // namespace recal::nn
