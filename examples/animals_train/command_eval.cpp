// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>

#include <recal/core/parallel.hpp>
#include <recal/io/atomic_file.hpp>

#include "commands.hpp"
#include "evaluation_report.hpp"
#include "interrupt.hpp"
#include "progress.hpp"
#include "run_folder.hpp"
#include "split.hpp"
#include "text.hpp"

namespace animals {

namespace {

namespace fs = std::filesystem;

struct EvalCommand {
  std::string run;
  std::string checkpoint = "best";
  std::string subset = "val";
  std::string split;
  std::string data_root;
  std::string json;
  Index batch = 64;
  int threads = 0;
  int workers = 1;
};

int run(const EvalCommand& command) {
  if (command.threads > 0) recal::set_thread_count(command.threads);
  const TrainedNetwork trained = open_run(command.run, command.checkpoint);
  const RunConfig& config = trained.config;
  Split split = read_split(command.split.empty() ? config.split : fs::path(command.split));
  if (!command.data_root.empty()) split.root = command.data_root;
  if (split.classes != config.classes)
    fail("the split has ", split.classes.size(), " classes that are not, in this order, the ", config.classes.size(),
         " that the network was trained on");
  ImageStore store(split.root, command.subset == "val" ? split.val : split.train,
                   {.short_side = stored_side(config), .most_bytes = 0});

  Progress progress;
  EvaluateOptions how;
  how.classes = static_cast<Index>(config.classes.size());
  how.size = config.size;
  how.batch = command.batch;
  how.threads = command.workers;
  how.stop = &catch_interrupts();
  how.report = [&progress](Index done, Index all) {
    if (progress.due()) progress.show(text("evaluating ", done, "/", all));
  };
  const auto evaluation = evaluate(*trained.network, store, how);
  progress.clear();
  if (!evaluation) return exit_interrupted;
  for (const Skipped& one : evaluation->broken) std::cout << "left out: " << one.file << " " << one.reason << '\n';
  if (evaluation->images == 0)
    fail("none of the ", store.size(), " pictures could be read; --data-root says where they lie");
  std::cout << trained.checkpoint.string() << " on the " << command.subset << " part\n"
            << report_text(*evaluation, config.classes);
  if (!command.json.empty()) recal::io::write_atomically(command.json, report_json(*evaluation, config.classes) + "\n");
  return evaluation->broken.empty() ? exit_ok : exit_left_out;
}

}  // namespace

void add_eval_command(CLI::App& app, int& status) {
  auto command = std::make_shared<EvalCommand>();
  CLI::App* sub = app.add_subcommand("eval", "Say how good a trained network is");
  sub->footer(
      "Runs a trained network over the validation pictures of its split and prints loss, accuracy, accuracy by class,\n"
      "the confusion matrix and the time a picture takes in the network. Ends with code 3 where pictures were left "
      "out.");
  sub->add_option("--run", command->run, "The run's folder")->required();
  sub->add_option("--checkpoint", command->checkpoint, "best or last")
      ->check(CLI::IsMember({"best", "last"}))
      ->capture_default_str();
  sub->add_option("--subset", command->subset, "val or train")
      ->check(CLI::IsMember({"val", "train"}))
      ->capture_default_str();
  sub->add_option("--split", command->split, "Another split than the run's own, with the same classes");
  sub->add_option("--data-root", command->data_root, "Where the pictures lie, if not where the split says");
  sub->add_option("--json", command->json, "Also write the report into this file, as JSON");
  sub->add_option("--batch", command->batch, "Pictures at a time")->check(CLI::Range(1, 4096))->capture_default_str();
  sub->add_option("--threads", command->threads, "Threads that compute; 0: one a processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  sub->add_option("--workers", command->workers, "Threads that decode pictures")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  sub->callback([command, &status] { status = run(*command); });
}

}  // namespace animals
