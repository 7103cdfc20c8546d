// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include <recal/core/error.hpp>
#include <recal/version.hpp>

#include "commands.hpp"
#include "text.hpp"

namespace animals {

namespace {

constexpr const char* about =
    "Trains residual networks with channel recalibration (SRM, SE, GE, ...) on a folder of class folders.\n"
    "\n"
    "  animals_train split   --data photos --out split.json\n"
    "  animals_train train   --split split.json --recalibration srm --out runs/srm\n"
    "  animals_train eval    --run runs/srm\n"
    "  animals_train predict --run runs/srm cat.jpg\n"
    "\n"
    "animals_train COMMAND --help tells all options of a command.";

std::string version() {
  return text("animals_train ", RECAL_VERSION_MAJOR, '.', RECAL_VERSION_MINOR, '.', RECAL_VERSION_PATCH);
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  CLI::App app(about, "animals_train");
  app.require_subcommand(1);
  app.set_version_flag("--version", version());
  app.get_formatter()->column_width(34);
  int status = exit_ok;
  add_split_command(app, status);
  add_show_command(app, status);
  add_train_command(app, status);
  add_eval_command(app, status);
  add_predict_command(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? exit_ok : exit_usage;
  } catch (const std::bad_alloc&) {
    std::cerr << "animals_train: out of memory; a smaller --batch or --size needs less\n";
    return exit_failure;
  } catch (const std::exception& problem) {
    std::cerr << "animals_train: " << problem.what() << '\n';
    return exit_failure;
  }
  return status;
}

}  // namespace animals
