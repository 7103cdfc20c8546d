// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/nn/basic_block.hpp>
#include <recal/nn/block_kind.hpp>
#include <recal/nn/bottleneck.hpp>

namespace {

using recal::nn::BlockKind;

TEST_CASE("a block gives as many channels as its kind says") {
  CHECK(recal::nn::basic_block<float>(2, 3, 1).layers.back().norm.channels() == 3 * expansion(BlockKind::basic));
  CHECK(recal::nn::bottleneck<float>(2, 3, 1).layers.back().norm.channels() == 3 * expansion(BlockKind::bottleneck));
}

}  // namespace
