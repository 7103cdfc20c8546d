// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "network.hpp"
#include "run_config.hpp"

namespace animals {

/// The probabilities of a picture's classes, or why there are none.
struct Prediction {
  std::string file;
  std::vector<double> probability;  ///< by class; empty where `fault` is not
  std::string fault;
};

/// Softmax of the network's logits for each file, in the given order. A file that gives no picture has a fault.
[[nodiscard]] std::vector<Prediction> predict(Network& network, const RunConfig& config,
                                              const std::vector<std::string>& files);

/// The `top` most probable classes of each: "text" a line a picture, "csv" (file, rank, class, probability) and
/// "json" also for the faults.
void write_predictions(std::ostream& out, const std::vector<Prediction>& predictions,
                       const std::vector<std::string>& classes, Index top, const std::string& format);

}  // namespace animals
