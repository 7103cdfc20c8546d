// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include <doctest/doctest.h>

#include <recal/nn/resnet_layout.hpp>

namespace {

/// Layers with weights: the stem, those of the blocks, the linear one.
long layers(const recal::nn::ResNetLayout& layout) {
  const long blocks = std::accumulate(layout.depths.begin(), layout.depths.end(), 0L);
  return 2 + blocks * (layout.block == recal::nn::BlockKind::basic ? 2 : 3);
}

TEST_CASE("layouts have the layers that their names count") {
  CHECK(layers(recal::nn::resnet18) == 18);
  CHECK(layers(recal::nn::resnet34) == 34);
  CHECK(layers(recal::nn::resnet50) == 50);
  CHECK(layers(recal::nn::resnet101) == 101);
}

}  // namespace
