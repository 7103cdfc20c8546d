// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/reference/backend.hpp>
#include <recal/backend/reference/conv2d.hpp>
#include <recal/nn/basic_block.hpp>
#include <recal/srm.hpp>

#include "tests/support/block_check.hpp"

namespace {

using recal::Shape;
using recal::Srm;
using recal::nn::basic_block;
using recal::testing::BlockMode;

TEST_CASE("basic block: gradients agree with central differences") {
  for (const BlockMode mode : {BlockMode::training, BlockMode::frozen}) {
    recal::testing::check_block_gradients(basic_block<double>(3, 3, 1), {2, 3, 4, 3}, mode);
    recal::testing::check_block_gradients(basic_block<double, Srm<double>>(2, 3, 2), {3, 2, 5, 4}, mode);
  }
}

TEST_CASE("basic block: inference equals the frozen forward") {
  recal::testing::check_block_inference<float>(basic_block<float>(4, 4, 1), {2, 4, 7, 7});
  recal::testing::check_block_inference<double>(basic_block<double, Srm<double>>(3, 4, 2), {2, 3, 6, 7});
}

TEST_CASE("basic block: the cpu backend equals the reference, for any number of threads") {
  recal::testing::check_block_backends<double>(basic_block<double>(3, 4, 2), {3, 3, 9, 8}, recal::Cpu{},
                                               recal::Reference{}, 1e-11);
  recal::testing::check_block_threads(basic_block<float>(8, 16, 2), {5, 8, 14, 14});
}

TEST_CASE("basic block: names are torchvision's") {
  using Names = std::vector<std::string>;
  CHECK(recal::testing::parameter_names(basic_block<float>(4, 4, 1)) ==
        Names{"conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight", "bn2.weight", "bn2.bias"});
  CHECK(recal::testing::parameter_names(basic_block<float, Srm<float>>(4, 8, 1)) ==
        Names{"conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight", "bn2.weight", "bn2.bias", "rclb.cfc",
              "rclb.bn.weight", "rclb.bn.bias", "downsample.0.weight", "downsample.1.weight", "downsample.1.bias"});
}

}  // namespace
