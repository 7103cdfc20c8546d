// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/channel_block.hpp>
#include <recal/backend/cpu/backend.hpp>

namespace {

using recal::ChannelBlock;
using recal::Index;
using recal::Shape;

TEST_CASE("blocks cover every channel once, whatever the shape") {
  for (const Shape& shape : {Shape{2, 1, 3, 3}, Shape{3, 7, 1, 1}, Shape{1, 1000, 2, 2}, Shape{2, 64, 112, 112},
                             Shape{0, 5, 4, 4}, Shape{2, 130, 16, 16}}) {
    std::vector<int> seen(static_cast<std::size_t>(shape.c), 0);
    recal::walk_channels(recal::Cpu{}, shape, [&seen](const auto&, const ChannelBlock& block) {
      CHECK(block.size() == block.last - block.first);
      for (Index c = block.first; c < block.last; ++c) ++seen[static_cast<std::size_t>(c)];
    });
    for (const int count : seen) CHECK(count == 1);
    CHECK(ChannelBlock::width(shape) >= 1);
    CHECK(ChannelBlock::width(shape) <= ChannelBlock::limit);
    CHECK((ChannelBlock::width(shape) < 8 || ChannelBlock::width(shape) % 8 == 0));
  }
}

}  // namespace
