// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/train/checkpoint.hpp>

#include "image.hpp"

namespace animals {

/// Where a run stands, between two steps. Together with weights and momenta it is all that going on needs.
struct RunState {
  Index step = 0;       ///< steps done in all
  Index epoch = 0;      ///< the epoch at work, from 0
  Index position = 0;   ///< batches of it done
  double loss_sum = 0;  ///< over the samples of this epoch so far
  Index correct = 0;
  Index seen = 0;
  double seconds = 0;  ///< of training in this epoch so far
  double best_accuracy = -1;
  Index best_epoch = -1;

  friend bool operator==(const RunState&, const RunState&) = default;
};

/// As text pairs for a checkpoint; every number comes back exactly.
[[nodiscard]] recal::train::Notes to_notes(const RunState& state);

/// Throws failure where a pair is missing or no number.
[[nodiscard]] RunState state_from(const recal::train::Notes& notes);

}  // namespace animals
