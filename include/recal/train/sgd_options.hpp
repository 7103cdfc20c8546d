// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/error.hpp>

namespace recal::train {

/// What SGD does to a gradient. Weight decay applies where Parameter::decay says so.
struct SgdOptions {
  double momentum = 0.9;
  double weight_decay = 1e-4;
  bool nesterov = false;
};

namespace detail {

/// Throws where momentum or weight decay is below 0, and for Nesterov's rule without momentum.
inline void check_options(const SgdOptions& options) {
  check(options.momentum >= 0.0, "momentum ", options.momentum, " is below 0");
  check(options.weight_decay >= 0.0, "weight decay ", options.weight_decay, " is below 0");
  check(!options.nesterov || options.momentum > 0.0, "Nesterov's rule needs a momentum above 0, found ",
        options.momentum);
}

}  // namespace detail

}  // namespace recal::train
