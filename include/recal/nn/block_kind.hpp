// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/shape.hpp>

namespace recal::nn {

/// Which residual block of a ResNet: basic_block() or bottleneck().
enum class BlockKind { basic, bottleneck };

/// Channels that come out of a block, per channel of its width.
[[nodiscard]] constexpr Index expansion(BlockKind kind) noexcept { return kind == BlockKind::basic ? 1 : 4; }

}  // namespace recal::nn
