// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include <unistd.h>

#include <iostream>

namespace animals {

namespace {

constexpr double seconds_on_terminal = 0.1;

}  // namespace

Progress::Progress(double seconds) : Progress(std::cerr, ::isatty(STDERR_FILENO) == 1, seconds) {}

Progress::Progress(std::ostream& out, bool terminal, double seconds)
    : out_(out), terminal_(terminal), seconds_(terminal ? seconds_on_terminal : seconds), last_(Clock::now()) {}

Progress::~Progress() {
  try {
    clear();
  } catch (const std::exception&) {
    shown_ = false;
  }
}

bool Progress::due() const {
  return (terminal_ && !shown_) || std::chrono::duration<double>(Clock::now() - last_).count() >= seconds_;
}

void Progress::show(const std::string& line) {
  if (!due()) return;
  last_ = Clock::now();
  if (terminal_)
    out_ << '\r' << line << "\x1b[K" << std::flush;
  else
    out_ << line << std::endl;
  shown_ = true;
}

void Progress::clear() {
  if (terminal_ && shown_) out_ << "\r\x1b[K" << std::flush;
  shown_ = false;
}

}  // namespace animals
