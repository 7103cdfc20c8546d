// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/backend/backend.hpp>
#include <recal/core/shape.hpp>

namespace recal {

/// Channels that are worked on together, sample by sample, so that memory is read in long runs: [first, last).
struct ChannelBlock {
  static constexpr Index limit = 64;
  static constexpr Index elements_per_run = 8192;
  static constexpr Index long_plane = 2048;  // a long run by itself
  static constexpr Index whole_packs = 8;    // channels that fill packs, whatever a register holds
  Index first;
  Index last;

  [[nodiscard]] Index size() const { return last - first; }

  /// Enough channels for a long run, few enough for eight threads or more; in whole packs where they are more than one.
  [[nodiscard]] static Index width(const Shape& x) {
    const Index wanted = x.plane() < long_plane ? elements_per_run / std::max(x.plane(), Index{1}) : 1;
    const Index width = std::clamp(std::min(wanted, x.c / 8), Index{1}, limit);
    return width > whole_packs ? width - width % whole_packs : width;
  }
};

/// program(team, block) for blocks that cover all channels of x, all samples of them; their sizes depend on the shape
/// alone.
template <class B, class Program>
void walk_channels(const B& backend, const Shape& x, const Program& program) {
  const Index width = ChannelBlock::width(x);
  backend.walk((x.c + width - 1) / width, width * x.n * x.plane(), [&](const typename B::Team& team, Index g) {
    program(team, ChannelBlock{g * width, std::min(x.c, (g + 1) * width)});
  });
}

}  // namespace recal
