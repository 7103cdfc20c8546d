// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <string>

namespace recal::testing {

/// A line of source. std::source_location is not there for clang++ 14.
struct Place {
  const char* file = "";
  int line = 0;

  /// As a default argument: where the function is called.
  [[nodiscard]] static constexpr Place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }

  friend bool operator==(const Place& a, const Place& b) {
    return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
  }
};

[[nodiscard]] inline std::string to_string(const Place& place) {
  const char* slash = std::strrchr(place.file, '/');
  return std::string(slash != nullptr ? slash + 1 : place.file) + ":" + std::to_string(place.line);
}

}  // namespace recal::testing
