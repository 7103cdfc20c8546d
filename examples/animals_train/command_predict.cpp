// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <memory>

#include <recal/core/parallel.hpp>

#include "commands.hpp"
#include "predict.hpp"
#include "run_folder.hpp"

namespace animals {

namespace {

struct PredictCommand {
  std::string run;
  std::string checkpoint = "best";
  std::vector<std::string> images;
  Index top = 3;
  std::string format = "text";
  int threads = 0;
};

int run(const PredictCommand& command) {
  if (command.threads > 0) recal::set_thread_count(command.threads);
  const TrainedNetwork trained = open_run(command.run, command.checkpoint);
  const auto predictions = predict(*trained.network, trained.config, command.images);
  const auto top = std::min(command.top, static_cast<Index>(trained.config.classes.size()));
  write_predictions(std::cout, predictions, trained.config.classes, top, command.format);
  bool all_read = true;
  for (const Prediction& one : predictions) {
    if (one.fault.empty()) continue;
    all_read = false;
    std::cerr << "animals_train: " << one.file << " " << one.fault << '\n';
  }
  return all_read ? exit_ok : exit_left_out;
}

}  // namespace

void add_predict_command(CLI::App& app, int& status) {
  auto command = std::make_shared<PredictCommand>();
  CLI::App* sub = app.add_subcommand("predict", "Say what pictures show");
  sub->footer(
      "Prints the most probable classes of each picture. A file that gives no picture is named on standard error, the\n"
      "others are still predicted, and the program ends with code 3.");
  sub->add_option("--run", command->run, "The run's folder")->required();
  sub->add_option("images", command->images, "JPEG and PNG files (after -- where a name begins with -)")->required();
  sub->add_option("--checkpoint", command->checkpoint, "best or last")
      ->check(CLI::IsMember({"best", "last"}))
      ->capture_default_str();
  sub->add_option("--top", command->top, "How many classes to name")->check(CLI::Range(1, 1000))->capture_default_str();
  sub->add_option("--format", command->format, "text, csv or json")
      ->check(CLI::IsMember({"text", "csv", "json"}))
      ->capture_default_str();
  sub->add_option("--threads", command->threads, "Threads that compute; 0: one a processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  sub->callback([command, &status] { status = run(*command); });
}

}  // namespace animals
