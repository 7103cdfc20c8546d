// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/reference/backend.hpp>
#include <recal/backend/reference/conv2d.hpp>
#include <recal/nn/bottleneck.hpp>
#include <recal/se.hpp>

#include "tests/support/block_check.hpp"

namespace {

using recal::Se;
using recal::Shape;
using recal::nn::bottleneck;
using recal::testing::BlockMode;

TEST_CASE("bottleneck: gradients agree with central differences") {
  for (const BlockMode mode : {BlockMode::training, BlockMode::frozen}) {
    recal::testing::check_block_gradients(bottleneck<double>(8, 2, 1), {2, 8, 3, 4}, mode);
    recal::testing::check_block_gradients(bottleneck<double, Se<double>>(3, 1, 2), {3, 3, 4, 5}, mode);
  }
}

TEST_CASE("bottleneck: inference equals the frozen forward") {
  recal::testing::check_block_inference<float>(bottleneck<float>(16, 4, 1), {2, 16, 7, 7});
  recal::testing::check_block_inference<double>(bottleneck<double, Se<double>>(3, 2, 2), {2, 3, 6, 7});
}

TEST_CASE("bottleneck: the cpu backend equals the reference, for any number of threads") {
  recal::testing::check_block_backends<double>(bottleneck<double, Se<double>>(3, 2, 2), {3, 3, 9, 8}, recal::Cpu{},
                                               recal::Reference{}, 1e-11);
  recal::testing::check_block_threads(bottleneck<float>(8, 16, 2), {5, 8, 14, 14});
}

TEST_CASE("bottleneck: names are torchvision's") {
  using Names = std::vector<std::string>;
  CHECK(recal::testing::parameter_names(bottleneck<float>(8, 2, 1)) == Names{"conv1.weight", "bn1.weight", "bn1.bias",
                                                                             "conv2.weight", "bn2.weight", "bn2.bias",
                                                                             "conv3.weight", "bn3.weight", "bn3.bias"});
  const Names se = recal::testing::parameter_names(bottleneck<float, Se<float>>(4, 4, 1));
  CHECK(se.size() == 9 + 4 + 3);
  CHECK(se[9] == "se.fc1.weight");
  CHECK(se[13] == "downsample.0.weight");
}

}  // namespace
