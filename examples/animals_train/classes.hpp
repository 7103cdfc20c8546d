// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace animals {

/// The class that a folder stands for: its own name, except that the Italian names of Kaggle's Animals-10
/// ("cane", "Farfalla") become the English ones.
[[nodiscard]] std::string class_of_folder(const std::string& folder);

}  // namespace animals
