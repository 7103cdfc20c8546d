// SPDX-License-Identifier: Apache-2.0
#include <iomanip>
#include <iostream>
#include <memory>

#include "commands.hpp"
#include "progress.hpp"
#include "split.hpp"
#include "text.hpp"

namespace animals {

namespace {

struct SplitCommand {
  std::string data;
  std::string out = "split.json";
  double val = 0.2;
  std::uint64_t seed = 7;
  bool strict = false;
};

void print_counts(const Split& split) {
  const auto train = count_by_class(split.train, split.classes.size());
  const auto val = count_by_class(split.val, split.classes.size());
  std::size_t widest = 5;
  for (const std::string& name : split.classes) widest = std::max(widest, name.size());
  const auto row = [widest](const std::string& name, std::size_t in_train, std::size_t in_val) {
    std::cout << std::left << std::setw(static_cast<int>(widest) + 2) << name << std::right << std::setw(8) << in_train
              << std::setw(8) << in_val << '\n';
  };
  std::cout << std::left << std::setw(static_cast<int>(widest) + 2) << "class" << std::right << std::setw(8) << "train"
            << std::setw(8) << "val" << '\n';
  for (std::size_t c = 0; c < split.classes.size(); ++c)
    row(split.classes[c], static_cast<std::size_t>(train[c]), static_cast<std::size_t>(val[c]));
  row("all", split.train.size(), split.val.size());
}

int run(const SplitCommand& command) {
  Progress progress;
  const auto report = [&progress](Index done, Index all) {
    if (progress.due()) progress.show(text("looking at picture ", done, " of ", all));
  };
  const Inspected inspected = inspect(scan_folder(command.data), report);
  progress.clear();
  for (const Skipped& skipped : inspected.folder.skipped)
    std::cout << "left out: " << skipped.file << " " << skipped.reason << '\n';
  if (command.strict && !inspected.folder.skipped.empty())
    fail(inspected.folder.skipped.size(), " files cannot be used and --strict is given; nothing was written");
  const Split split = make_split(inspected, command.val, command.seed);
  write_split(command.out, split);
  print_counts(split);
  std::cout << split.exact_copies << " exact and " << split.near_copies
            << " near copies of other pictures, kept on one side; " << split.skipped.size() << " files left out\n"
            << "written: " << command.out << '\n';
  return exit_ok;
}

}  // namespace

void add_split_command(CLI::App& app, int& status) {
  auto command = std::make_shared<SplitCommand>();
  CLI::App* sub = app.add_subcommand("split", "Divide photographs into a training and a validation part");
  sub->footer(
      "Divides the pictures of a folder of class folders into a training and a validation part, class by class.\n"
      "Every file is decoded once. Copies and near copies stay on one side. Files that are no sound JPEG or PNG are\n"
      "named and left out. The Italian folder names of Kaggle's Animals-10 become English class names.");
  sub->add_option("--data", command->data, "The folder that holds one folder a class")->required();
  sub->add_option("--out", command->out, "The file to write")->capture_default_str();
  sub->add_option("--val", command->val, "The share of pictures held back, between 0 and 1")->capture_default_str();
  sub->add_option("--seed", command->seed, "Which pictures are held back")->capture_default_str();
  sub->add_flag("--strict", command->strict, "Write nothing where a file cannot be used");
  sub->callback([command, &status] { status = run(*command); });
}

}  // namespace animals
