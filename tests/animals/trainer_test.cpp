// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../support/temporary_folder.hpp"
#include "tiny_network.hpp"
#include "trainer.hpp"

namespace {

namespace fs = std::filesystem;

using animals::Index;
using animals::read_text;
using animals::RunConfig;
using animals::RunState;
using animals::Split;
using animals::Trainer;
using animals::TrainOptions;
using animals::TrainOutcome;
using recal::testing::TemporaryFolder;

struct Place {
  TemporaryFolder folder;
  Split split = animals::testing::two_classes(folder / "data", 24);
  RunConfig config;

  Place() {
    config.classes = split.classes;
    config.size = 8;
    config.batch = 4;
    config.epochs = 3;
    config.lr = 0.002;
    config.smallest_crop = 0.8;
  }

  [[nodiscard]] TrainOptions options(const std::string& name) const {
    TrainOptions options;
    options.out = folder / name;
    options.checkpoint_every = 2;
    fs::create_directories(options.out);
    return options;
  }

  /// Goes on with what lies in the folder, in a fresh process's place.
  TrainOutcome train(const TrainOptions& options, std::string* told = nullptr) const {
    const auto network = animals::testing::linear_network(2, config.size);
    RunState state;
    if (fs::exists(options.out / animals::run_files::last))
      state = animals::state_from(network->load_all(options.out / animals::run_files::last));
    std::ostringstream out;
    Trainer trainer(config, split, *network, state, options);
    const TrainOutcome outcome = trainer.run(out);
    if (told != nullptr) *told = out.str();
    return outcome;
  }
};

/// metrics.csv without the two columns that tell time.
std::string metrics_of(const fs::path& folder) {
  std::istringstream in(read_text(folder / "metrics.csv"));
  std::string result;
  for (std::string row; std::getline(in, row);) {
    row.resize(row.rfind(','));
    row.resize(row.rfind(','));
    result += row + '\n';
  }
  return result;
}

std::vector<float> weights_of(const fs::path& file) {
  return recal::io::SafetensorsFile::open(file).read<float>("weight");
}

void check_same_run(const fs::path& a, const fs::path& b) {
  CHECK(read_text(a / "steps.jsonl") == read_text(b / "steps.jsonl"));
  CHECK(metrics_of(a) == metrics_of(b));
  for (const std::string_view name : {animals::run_files::last, animals::run_files::best})
    CHECK(weights_of(a / name) == weights_of(b / name));
}

TEST_CASE("a run writes its logs and checkpoints, and learns") {
  const Place place;
  std::string told;
  CHECK(place.train(place.options("run"), &told) == TrainOutcome::finished);
  const fs::path run = place.folder / "run";
  const std::string steps = read_text(run / "steps.jsonl");
  CHECK(std::count(steps.begin(), steps.end(), '\n') == 3 * 9);
  const std::string metrics = read_text(run / "metrics.csv");
  CHECK(std::count(metrics.begin(), metrics.end(), '\n') == 1 + 3);
  CHECK(told.find("epoch 3/3") != std::string::npos);
  const auto network = animals::testing::linear_network(2, 8);
  const auto state = animals::state_from(network->load_weights(run / animals::run_files::best));
  CHECK(state.best_accuracy > 0.4);
  CHECK(animals::state_from(network->load_all(run / animals::run_files::last)).epoch == 3);
}

TEST_CASE("a run that is stopped at any step and gone on with is the run in one go, bit for bit") {
  const Place place;
  CHECK(place.train(place.options("whole")) == TrainOutcome::finished);
  for (const Index stop : {1, 4, 9, 13, 18, 26}) {
    CAPTURE(stop);
    const std::string name = "stop" + std::to_string(stop);
    TrainOptions options = place.options(name);
    options.limit_steps = stop;
    CHECK(place.train(options) == TrainOutcome::limit_reached);
    options.limit_steps = 0;
    options.loader_threads = 3;
    options.cache_bytes = 0;
    CHECK(place.train(options) == TrainOutcome::finished);
    check_same_run(place.folder / name, place.folder / "whole");
  }
}

TEST_CASE("a killed run goes on from its last checkpoint to the same result") {
  const Place place;
  CHECK(place.train(place.options("whole")) == TrainOutcome::finished);
  TrainOptions options = place.options("killed");
  // What kill -9 leaves: a checkpoint of step 12 and logs that are further, the last line cut.
  options.limit_steps = 12;
  CHECK(place.train(options) == TrainOutcome::limit_reached);
  fs::copy(options.out / animals::run_files::last, place.folder / "saved");
  options.limit_steps = 20;
  CHECK(place.train(options) == TrainOutcome::limit_reached);
  fs::rename(place.folder / "saved", options.out / animals::run_files::last);
  std::ofstream(options.out / "steps.jsonl", std::ios::app) << "{\"step\":21,\"lo";
  options.limit_steps = 0;
  CHECK(place.train(options) == TrainOutcome::finished);
  check_same_run(options.out, place.folder / "whole");
}

TEST_CASE("an interrupt saves after the step at hand") {
  const Place place;
  const std::atomic<bool> stop{true};
  TrainOptions options = place.options("run");
  options.stop = &stop;
  CHECK(place.train(options) == TrainOutcome::stopped);
  const auto network = animals::testing::linear_network(2, 8);
  const RunState state = animals::state_from(network->load_all(options.out / animals::run_files::last));
  CHECK(state.step == 1);
  CHECK(state.position == 1);
}

TEST_CASE("a broken picture is named and left out, or ends a strict run") {
  const Place place;
  animals::testing::write_file(place.folder / "data" / place.split.train[0].file, {'x'});
  animals::testing::write_file(place.folder / "data" / place.split.val[0].file, {});
  std::string told;
  CHECK(place.train(place.options("run"), &told) == TrainOutcome::finished);
  CHECK(told.find("left out: above/0.png is plain text") != std::string::npos);
  CHECK(told.find("left out: above/3.png is empty") != std::string::npos);
  TrainOptions options = place.options("strict");
  options.strict = true;
  CHECK_THROWS_WITH_AS(place.train(options), doctest::Contains("above/"), animals::failure);
}

TEST_CASE("a run without pictures, or that diverges, ends with a reason") {
  Place place;
  TrainOptions options = place.options("run");
  place.config.batch = 1000;
  CHECK_THROWS_WITH_AS(place.train(options), doctest::Contains("fewer than one batch of 1000"), animals::failure);
  place.config.batch = 4;
  place.config.lr = 1e38;
  CHECK_THROWS_WITH_AS(place.train(options), doctest::Contains("the run diverged"), animals::failure);
  place.config.lr = 0.002;
  fs::remove_all(place.folder / "data");
  CHECK_THROWS_WITH_AS(place.train(options), doctest::Contains("is the data folder in place?"), animals::failure);
}

}  // namespace
