// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "evaluate.hpp"

namespace animals {

/// Loss, accuracy, a table by class, the confusion matrix, time; for people.
[[nodiscard]] std::string report_text(const Evaluation& evaluation, const std::vector<std::string>& classes);

/// The same numbers as JSON.
[[nodiscard]] std::string report_json(const Evaluation& evaluation, const std::vector<std::string>& classes);

}  // namespace animals
