// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace animals {

/// How the program ends.
enum ExitCode : int {
  exit_ok = 0,
  exit_failure = 1,       ///< a fault that the message explains
  exit_usage = 2,         ///< the command line makes no sense
  exit_left_out = 3,      ///< done, but some pictures could not be read
  exit_interrupted = 130  ///< Ctrl-C; what was done is saved
};

/// The whole program. Gives its exit code.
int run_program(int argc, const char* const* argv);

}  // namespace animals
