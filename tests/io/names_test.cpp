// SPDX-License-Identifier: Apache-2.0
#include <recal/io/names.hpp>

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using recal::io::canonical_name;
using recal::io::same_sizes;

TEST_CASE("torchvision's, timm's and recal's own names pass unchanged") {
  for (const std::string name :
       {"conv1.weight", "bn1.running_mean", "layer1.0.downsample.0.weight", "layer4.2.bn3.num_batches_tracked",
        "fc.weight", "fc.bias", "layer1.0.se.fc1.weight", "layer1.0.se.fc2.bias", "layer2.1.rclb.cfc",
        "layer2.1.rclb.bn.running_var", "layer1.0.rclb.gather.0.bn.weight", "cfc", "se.fc", "rclb.fc.1.weight", ""})
    CHECK(canonical_name(name) == name);
}

TEST_CASE("names of other code become recal's") {
  const std::vector<std::pair<std::string, std::string>> names{
      {"module.conv1.weight", "conv1.weight"},
      {"module.layer1.0.rclb.cfc", "layer1.0.rclb.cfc"},
      {"module.layer1.0.recalibration.cfc", "layer1.0.rclb.cfc"},
      {"layer1.0.recalibration.bn.running_mean", "layer1.0.rclb.bn.running_mean"},
      {"layer3.5.layer_block.cfc.weight", "layer3.5.rclb.cfc"},
      {"layer3.5.layer_block.bn.weight", "layer3.5.rclb.bn.weight"},
      {"layer3.5.layer_block.fc.0.weight", "layer3.5.se.fc1.weight"},
      {"module.layer1.0.rclb.fc.0.weight", "layer1.0.se.fc1.weight"},
      {"module.layer1.0.rclb.fc.2.bias", "layer1.0.se.fc2.bias"},
      {"layer1.0.se.fc.2.weight", "layer1.0.se.fc2.weight"},
      {"rclb.fc.0", "se.fc1"},
      {".cfc.weight", ".cfc"},
      {"a..b.", "a..b."}};
  for (const auto& [theirs, ours] : names) CHECK(canonical_name(theirs) == ours);
}

TEST_CASE("canonical names are their own canonical names") {
  for (const auto* name : {"module.layer1.0.recalibration.cfc", "layer1.0.rclb.fc.2.bias", "x.cfc.weight"})
    CHECK(canonical_name(canonical_name(name)) == canonical_name(name));
}

TEST_CASE("shapes are the same up to ones") {
  CHECK(same_sizes({16, 256, 1, 1}, {16, 256}));
  CHECK(same_sizes({256, 1, 2}, {256, 2}));
  CHECK(same_sizes({}, {1}));
  CHECK(same_sizes({1, 8}, {8, 1}));
  CHECK_FALSE(same_sizes({16, 256}, {256, 16}));
  CHECK_FALSE(same_sizes({4, 4}, {16}));
  CHECK_FALSE(same_sizes({0}, {}));
}

TEST_CASE("counts of batches are told by their name") {
  CHECK(recal::io::is_batch_count("layer1.0.bn1.num_batches_tracked"));
  CHECK_FALSE(recal::io::is_batch_count("layer1.0.bn1.running_mean"));
}
