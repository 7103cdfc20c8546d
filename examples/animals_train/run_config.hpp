// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "network.hpp"

namespace animals {

/// All that decides what a run computes; config.json in the run's folder.
struct RunConfig {
  std::filesystem::path split;   ///< absolute when read
  std::uint64_t split_hash = 0;  ///< content of the split file when the run began
  std::vector<std::string> classes;
  std::string net = "resnet50";
  std::string recalibration = "srm";
  std::string stem = "auto";  ///< auto, large or small
  Index size = 64;
  Index batch = 32;
  Index epochs = 20;
  double lr = 0.005;
  std::string schedule = "cosine";  ///< cosine or step
  double warmup = -1.0;             ///< epochs; below 0: a tenth of the run, at most 5 epochs
  double momentum = 0.9;
  double weight_decay = 5e-4;
  double smoothing = 0.1;
  double smallest_crop = 0.35;  ///< of the area
  std::uint64_t seed = 1;

  friend bool operator==(const RunConfig&, const RunConfig&) = default;
};

/// Throws failure with the option's name where a value makes no sense.
void check_config(const RunConfig& config);

void write_config(const std::filesystem::path& path, const RunConfig& config);

/// Throws failure where the file is no configuration of a run.
[[nodiscard]] RunConfig read_config(const std::filesystem::path& path);

/// The learning rate by step. `steps_per_epoch` is at least 1.
[[nodiscard]] std::function<double(Index)> make_schedule(const RunConfig& config, Index steps_per_epoch);

[[nodiscard]] NetworkOptions network_options(const RunConfig& config);

/// Pictures are kept in memory at this short side: room for crops without blur.
[[nodiscard]] Index stored_side(const RunConfig& config);

}  // namespace animals
