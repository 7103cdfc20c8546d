// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace animals {

/// How the program ends.
enum ExitCode : int {
  exit_ok = 0,
  exit_failure = 1,       ///< a fault that the message explains
  exit_usage = 2,         ///< the command line makes no sense
  exit_left_out = 3,      ///< done, but some pictures could not be read
  exit_interrupted = 130  ///< Ctrl-C; what was done is saved
};

/// Each adds a subcommand whose callback does the work and sets `status`.
void add_split_command(CLI::App& app, int& status);
void add_show_command(CLI::App& app, int& status);
void add_train_command(CLI::App& app, int& status);
void add_eval_command(CLI::App& app, int& status);
void add_predict_command(CLI::App& app, int& status);

/// The whole program.
int run_program(int argc, const char* const* argv);

}  // namespace animals
