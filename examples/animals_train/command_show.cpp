// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>

#include "commands.hpp"
#include "grid.hpp"
#include "split.hpp"
#include "text.hpp"

namespace animals {

namespace {

struct ShowCommand {
  std::string data;
  std::string split;
  std::string subset = "train";
  std::string out = "grid.png";
  GridOptions grid;
};

int run(const ShowCommand& command) {
  std::filesystem::path root = command.data;
  std::vector<Sample> samples;
  std::vector<std::string> classes;
  if (command.split.empty()) {
    if (command.data.empty()) fail("--data or --split is needed");
    Folder folder = scan_folder(command.data);
    root = folder.root;
    samples = std::move(folder.samples);
    classes = std::move(folder.classes);
  } else {
    Split split = read_split(command.split);
    if (command.data.empty()) root = split.root;
    samples = command.subset == "val" ? std::move(split.val) : std::move(split.train);
    classes = std::move(split.classes);
  }
  std::vector<Skipped> skipped;
  const Image grid = make_grid(root, samples, classes, command.grid, skipped);
  for (const Skipped& one : skipped) std::cout << "left out: " << one.file << " " << one.reason << '\n';
  write_png(command.out, grid);
  std::cout << "written: " << command.out << " (" << grid.width << " x " << grid.height << ")\n";
  return exit_ok;
}

}  // namespace

void add_show_command(CLI::App& app, int& status) {
  auto command = std::make_shared<ShowCommand>();
  CLI::App* sub = app.add_subcommand("show", "Draw a grid of labelled pictures");
  sub->footer(
      "Draws randomly chosen pictures with their classes into one PNG, to see what a data folder or a split holds, or\n"
      "with --augment what training makes of it.");
  sub->add_option("--data", command->data, "The folder that holds one folder a class; or the root of --split");
  sub->add_option("--split", command->split, "Show a part of this split");
  sub->add_option("--subset", command->subset, "The part of the split: train or val")
      ->check(CLI::IsMember({"train", "val"}))
      ->capture_default_str();
  sub->add_option("--out", command->out, "The PNG to write")->capture_default_str();
  sub->add_option("--columns", command->grid.columns, "Pictures in a row")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  sub->add_option("--rows", command->grid.rows, "Rows, classes taking turns; 0: a row a class")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  sub->add_option("--tile", command->grid.tile, "Pixels of a picture's longer side")
      ->check(CLI::Range(32, 512))
      ->capture_default_str();
  sub->add_option("--seed", command->grid.seed, "Which pictures")->capture_default_str();
  sub->add_flag("--augment", command->grid.augment, "Random crops and flips, as in training");
  sub->callback([command, &status] { status = run(*command); });
}

}  // namespace animals
