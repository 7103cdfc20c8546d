// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "program.hpp"

namespace animals {

/// Each adds a subcommand whose callback does the work and sets `status`.
void add_split_command(CLI::App& app, int& status);
void add_show_command(CLI::App& app, int& status);
void add_train_command(CLI::App& app, int& status);
void add_eval_command(CLI::App& app, int& status);
void add_predict_command(CLI::App& app, int& status);

}  // namespace animals
