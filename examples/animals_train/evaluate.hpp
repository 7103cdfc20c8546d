// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "loader.hpp"
#include "network.hpp"

namespace animals {

/// How a network does on a set of samples.
struct Evaluation {
  Index classes = 0;
  Index images = 0;
  double loss = 0;               ///< mean cross-entropy, without label smoothing
  double network_seconds = 0;    ///< spent in the network alone
  std::vector<Index> confusion;  ///< [true class * classes + predicted class]
  std::vector<Skipped> broken;

  [[nodiscard]] Index count(Index truth, Index predicted) const {
    return confusion[static_cast<std::size_t>(truth * classes + predicted)];
  }
  [[nodiscard]] Index images_of(Index truth) const;
  [[nodiscard]] Index predicted_as(Index label) const;
  [[nodiscard]] Index correct() const;

  /// Correct parts; 0 where there is nothing to be right about.
  [[nodiscard]] double accuracy() const;
  [[nodiscard]] double accuracy_of(Index truth) const;
};

struct EvaluateOptions {
  Index classes = 10;
  Index size = 64;
  Index batch = 64;
  int threads = 1;                           ///< that decode
  std::function<void(Index, Index)> report;  ///< (images done, of); may be empty
  const std::atomic<bool>* stop = nullptr;   ///< looked at between batches
};

/// Runs the network over every sample, in inference mode. Nothing where `stop` turned true.
[[nodiscard]] std::optional<Evaluation> evaluate(Network& network, ImageStore& store, const EvaluateOptions& options);

}  // namespace animals
