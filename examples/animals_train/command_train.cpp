// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>
#include <vector>

#include <recal/core/parallel.hpp>

#include "commands.hpp"
#include "file_bytes.hpp"
#include "interrupt.hpp"
#include "run_folder.hpp"
#include "text.hpp"
#include "trainer.hpp"

namespace animals {

namespace {

namespace fs = std::filesystem;

struct TrainCommand {
  RunConfig config;
  std::string split;
  std::string data_root;
  std::string out;
  bool resume = false;
  bool force = false;
  bool strict = false;
  int threads = 0;
  int workers = 1;
  Index cache_mb = 2048;
  Index checkpoint_every = 200;
  Index limit_steps = 0;
  std::vector<std::pair<const CLI::Option*, void (*)(RunConfig&, const RunConfig&)>> settings;
};

std::uint64_t hash_of_file(const fs::path& path) {
  const std::string content = read_text(path);
  return content_hash({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
}

/// The configuration of a new run.
RunConfig fresh_config(const TrainCommand& command, const Split& split) {
  RunConfig config = command.config;
  config.split = fs::absolute(command.split).lexically_normal();
  config.split_hash = hash_of_file(config.split);
  config.classes = split.classes;
  check_config(config);
  return config;
}

/// The configuration of the run in the folder. Options that are given must say what it says.
RunConfig resumed_config(const TrainCommand& command) {
  RunConfig config = read_config(fs::path(command.out) / run_files::config);
  for (const auto& [option, assign] : command.settings) {
    if (option->count() == 0) continue;
    RunConfig changed = config;
    assign(changed, command.config);
    if (!(changed == config))
      fail(option->get_name(), " ", option->results().front(), " is not what the run in ", command.out,
           " was begun with; a run goes on as it began (see its config.json)");
  }
  if (!command.split.empty()) config.split = fs::absolute(command.split).lexically_normal();
  if (hash_of_file(config.split) != config.split_hash)
    fail(config.split.string(), " is not the split that the run in ", command.out, " was begun with");
  return config;
}

void make_room(const TrainCommand& command) {
  const fs::path out = command.out;
  const bool taken = fs::exists(out / run_files::config) || fs::exists(out / run_files::last);
  if (taken && !command.resume && !command.force)
    fail(command.out, " already holds a run; --resume goes on with it, --force begins anew in its place");
  fs::create_directories(out);
}

void remove_old_run(const fs::path& out) {
  for (const std::string_view name : {run_files::config, run_files::last, run_files::best}) fs::remove(out / name);
}

TrainOptions train_options(const TrainCommand& command) {
  TrainOptions options;
  options.out = command.out;
  options.checkpoint_every = command.checkpoint_every;
  options.limit_steps = command.limit_steps;
  options.loader_threads = command.workers;
  options.cache_bytes = command.cache_mb << 20U;
  options.strict = command.strict;
  options.stop = &catch_interrupts();
  return options;
}

int tell_outcome(TrainOutcome outcome, const RunState& state, const std::string& out) {
  const std::string go_on = text("saved; 'animals_train train --resume --out ", out, "' goes on");
  switch (outcome) {
    case TrainOutcome::finished:
      std::cout << "finished: best validation accuracy " << fixed(100 * state.best_accuracy, 2) << "% in epoch "
                << state.best_epoch << '\n';
      return exit_ok;
    case TrainOutcome::limit_reached:
      std::cout << "the limit of " << state.step << " steps is reached: " << go_on << '\n';
      return exit_ok;
    case TrainOutcome::stopped:
      break;
  }
  std::cout << "interrupted after step " << state.step << ": " << go_on << '\n';
  return exit_interrupted;
}

int run(const TrainCommand& command) {
  const fs::path out = command.out;
  const bool goes_on = command.resume && fs::exists(out / run_files::config);
  if (!goes_on && command.split.empty()) fail("--split is needed to begin a run");
  make_room(command);
  const RunLock lock(out);
  if (command.force && !command.resume) remove_old_run(out);
  if (command.threads > 0) recal::set_thread_count(command.threads);

  const RunConfig given = goes_on ? resumed_config(command) : RunConfig{};
  Split split = read_split(goes_on ? given.split : fs::path(command.split));
  if (!command.data_root.empty()) split.root = command.data_root;
  const RunConfig config = goes_on ? given : fresh_config(command, split);
  auto network = make_network(network_options(config));
  RunState state;
  if (goes_on && fs::exists(out / run_files::last)) state = state_from(network->load_all(out / run_files::last));
  if (!goes_on) write_config(out / run_files::config, config);

  std::cout << (state.step > 0 ? text("going on after step ", state.step, ": ") : "") << config.net << " with "
            << config.recalibration << ", " << network->parameters() << " parameters, " << split.train.size()
            << " training and " << split.val.size() << " validation pictures of " << split.classes.size()
            << " classes at " << config.size << " px, " << recal::thread_count() << " threads" << std::endl;
  Trainer trainer(config, split, *network, state, train_options(command));
  const TrainOutcome outcome = trainer.run(std::cout);
  return tell_outcome(outcome, trainer.state(), command.out);
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

/// An option that decides what the run computes, and that a resumed run compares.
template <auto member>
void add_setting(CLI::App& sub, TrainCommand& command, const char* name, const std::string& help) {
  const CLI::Option* option = sub.add_option(name, command.config.*member, help)->capture_default_str();
  command.settings.emplace_back(option, [](RunConfig& to, const RunConfig& from) { to.*member = from.*member; });
}

void add_recipe(CLI::App& sub, TrainCommand& command) {
  add_setting<&RunConfig::net>(sub, command, "--net", "The network: " + joined(network_names()));
  add_setting<&RunConfig::recalibration>(sub, command, "--recalibration",
                                         "The module in each block: " + joined(recalibration_names()));
  add_setting<&RunConfig::stem>(sub, command, "--stem",
                                "large shrinks images by 4 at once, small not at all; auto: large from 48 px on");
  add_setting<&RunConfig::size>(sub, command, "--size", "Width and height of the network's input in pixels");
  add_setting<&RunConfig::batch>(sub, command, "--batch", "Pictures a step");
  add_setting<&RunConfig::epochs>(sub, command, "--epochs", "Passes over the training pictures");
  add_setting<&RunConfig::lr>(sub, command, "--lr", "The highest learning rate");
  add_setting<&RunConfig::schedule>(sub, command, "--schedule",
                                    "cosine, or step: a tenth from 60% and a hundredth from 85% of the run on");
  add_setting<&RunConfig::warmup>(sub, command, "--warmup",
                                  "Epochs over which the rate rises; -1: a tenth of the run, at most 5");
  add_setting<&RunConfig::momentum>(sub, command, "--momentum", "Of SGD, by Nesterov's rule");
  add_setting<&RunConfig::weight_decay>(sub, command, "--weight-decay", "Of convolutions and the last layer");
  add_setting<&RunConfig::smoothing>(sub, command, "--smoothing", "Label smoothing");
  add_setting<&RunConfig::smallest_crop>(sub, command, "--smallest-crop",
                                         "The smallest part of a picture's area that augmentation crops to");
  add_setting<&RunConfig::seed>(sub, command, "--seed", "Of initial weights, order and augmentation");
}

}  // namespace

void add_train_command(CLI::App& app, int& status) {
  auto command = std::make_shared<TrainCommand>();
  CLI::App* sub = app.add_subcommand("train", "Train a network");
  sub->footer(
      "Trains a network on a split and writes into the run's folder: config.json (what the run is), metrics.csv (a "
      "row\n"
      "an epoch), steps.jsonl (a line a step), last.safetensors (to go on from) and best.safetensors (the weights\n"
      "with the best validation accuracy). Ctrl-C saves and leaves; --resume goes on exactly where the run stands,\n"
      "after a crash from the last checkpoint on, with the same result as a run in one go.");
  sub->add_option("--split", command->split, "What 'animals_train split' wrote; a resumed run knows it");
  sub->add_option("--data-root", command->data_root, "Where the pictures lie, if not where the split says");
  sub->add_option("--out", command->out, "The run's folder")->required();
  sub->add_flag("--resume", command->resume, "Go on with the run in --out; begin it where there is none");
  sub->add_flag("--force", command->force, "Begin anew even if --out holds a run")->excludes("--resume");
  sub->add_flag("--strict", command->strict, "Stop at a picture that cannot be read instead of leaving it out");
  add_recipe(*sub, *command);
  sub->add_option("--threads", command->threads, "Threads that compute; 0: one a processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  sub->add_option("--workers", command->workers, "Threads that decode and augment pictures")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  sub->add_option("--cache-mb", command->cache_mb, "Memory in which decoded pictures are kept")
      ->check(CLI::Range(Index{0}, Index{1} << 24U))
      ->capture_default_str();
  sub->add_option("--checkpoint-every", command->checkpoint_every, "Steps between saves; 0: only after each epoch")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  sub->add_option("--limit-steps", command->limit_steps, "Save and leave after so many steps in all; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  sub->callback([command, &status] { status = run(*command); });
}

}  // namespace animals
