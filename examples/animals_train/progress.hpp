// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

namespace animals {

/// One line that tells how far a long job is: rewritten in place on a terminal, otherwise a new line every so often.
class Progress {
 public:
  /// On standard error; `seconds` apart where that is no terminal.
  explicit Progress(double seconds = 10.0);
  Progress(std::ostream& out, bool terminal, double seconds);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// Shows `line` if it is time to.
  void show(const std::string& line);

  /// Whether show() would print now: saves making a line that nobody sees.
  [[nodiscard]] bool due() const;

  /// Removes the line from a terminal, so that something else can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  std::ostream& out_;
  bool terminal_;
  bool shown_ = false;
  double seconds_;
  Clock::time_point last_;
};

}  // namespace animals
