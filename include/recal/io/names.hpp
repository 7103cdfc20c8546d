// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <recal/core/shape.hpp>

namespace recal::io {

/// The name that recal gives to a checkpoint's tensor of that name.
///
/// recal uses torchvision's names of ResNets, `layerI.J.rclb.*` for SRM and GE, and `layerI.J.se.fc1/fc2.*` for SE.
/// Those, and timm's SE-ResNets, pass unchanged. Understood besides:
///
///   module.*                                     DataParallel's prefix is dropped
///   layerI.J.{recalibration,layer_block}.*       other names of the module in SRM code: rclb
///   layerI.J.{rclb,se,...}.fc.0.* and fc.2.*     SE as a sequence (SRM authors, SENet ports): se.fc1.*, se.fc2.*
///   *.cfc.weight                                 SRM's cfc as a grouped Conv1d: cfc
///
/// GE of the SRM authors has a convolution with a bias where recal has none: its names stay, so loading reports them.
[[nodiscard]] inline std::string canonical_name(std::string_view name) {
  constexpr std::string_view data_parallel = "module.";
  if (name.starts_with(data_parallel)) name.remove_prefix(data_parallel.size());

  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    parts.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }

  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "recalibration" || parts[i] == "layer_block") parts[i] = "rclb";
    const bool gate = parts[i] == "rclb" || parts[i] == "se";
    if (!gate || i + 2 >= parts.size() || parts[i + 1] != "fc") continue;
    if (parts[i + 2] != "0" && parts[i + 2] != "2") continue;
    parts[i] = "se";
    parts[i + 1] = parts[i + 2] == "0" ? "fc1" : "fc2";
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 2);
  }
  if (parts.size() > 1 && parts.back() == "weight" && parts[parts.size() - 2] == "cfc") parts.pop_back();

  std::string result(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    result += '.';
    result += parts[i];
  }
  return result;
}

/// Whether two shapes hold the same numbers in the same order under either name: equal after dropping ones.
/// So a 1x1 convolution [R, C, 1, 1] is a linear map [R, C], and a grouped Conv1d [C, 1, 2] is SRM's cfc [C, 2].
[[nodiscard]] inline bool same_sizes(const std::vector<Index>& a, const std::vector<Index>& b) {
  const auto without_ones = [](std::vector<Index> sizes) {
    std::erase(sizes, Index{1});
    return sizes;
  };
  return without_ones(a) == without_ones(b);
}

/// Whether the tensor is a batch norm's count of batches: an integer in checkpoints, and missing in old ones.
[[nodiscard]] inline bool is_batch_count(std::string_view name) { return name.ends_with("num_batches_tracked"); }

}  // namespace recal::io
