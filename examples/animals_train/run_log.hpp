// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>

#include "image.hpp"

namespace animals {

/// A line of steps.jsonl.
struct StepRecord {
  Index step = 0;   ///< from 1
  Index epoch = 0;  ///< from 1
  double lr = 0;
  double loss = 0;  ///< with label smoothing
  Index correct = 0;
  Index images = 0;
};

/// A row of metrics.csv.
struct EpochRecord {
  Index epoch = 0;  ///< from 1
  Index step = 0;
  double lr = 0;
  double train_loss = 0;
  double train_accuracy = 0;
  double val_loss = 0;
  double val_accuracy = 0;
  double seconds = 0;  ///< of training, without evaluation
  double images_per_second = 0;
};

/// The two logs of a run: metrics.csv, one row an epoch, and steps.jsonl, one line a step.
/// Numbers are written so that they read back exactly; every line reaches the file at once.
class RunLog {
 public:
  /// Goes on with the logs in `folder` up to `step` and `epoch` (both counts of what is done); later lines, which a
  /// killed process left behind, and a last partial line are dropped.
  RunLog(const std::filesystem::path& folder, Index step, Index epoch);

  void add(const StepRecord& record);
  void add(const EpochRecord& record);

 private:
  std::ofstream steps_;
  std::ofstream metrics_;
};

}  // namespace animals
