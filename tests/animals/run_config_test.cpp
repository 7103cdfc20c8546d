// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <doctest/doctest.h>

#include "../support/temporary_folder.hpp"
#include "run_config.hpp"
#include "text.hpp"

namespace {

using animals::RunConfig;
using recal::testing::TemporaryFolder;

RunConfig odd_config(const TemporaryFolder& folder) {
  RunConfig config;
  config.split = folder / "data/split.json";
  config.split_hash = 0xFFFFFFFFFFFFFFFFU;
  config.classes = {"a", "b"};
  config.net = "resnet18";
  config.recalibration = "ge-theta";
  config.lr = 0.1 + 0.2;
  config.seed = 1234567890123456789U;
  config.warmup = 0.5;
  return config;
}

TEST_CASE("a configuration comes back from its file, and its folder may move") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "place/runs/a");
  RunConfig config = odd_config(folder);
  config.split = folder / "place/split.json";
  animals::write_config(folder / "place/runs/a/config.json", config);
  CHECK(animals::read_config(folder / "place/runs/a/config.json") == config);
  std::filesystem::rename(folder / "place", folder / "moved");
  config.split = folder / "moved/split.json";
  CHECK(animals::read_config(folder / "moved/runs/a/config.json") == config);
}

TEST_CASE("what makes no sense is refused with the option's name") {
  const TemporaryFolder folder;
  const auto refuse = [&](auto change, const char* part) {
    RunConfig config = odd_config(folder);
    change(config);
    CHECK_THROWS_WITH_AS(animals::check_config(config), doctest::Contains(part), animals::failure);
  };
  animals::check_config(odd_config(folder));
  refuse([](RunConfig& c) { c.net = "resnet51"; }, "--net is resnet51");
  refuse([](RunConfig& c) { c.recalibration = "srn"; }, "--recalibration is srn");
  refuse([](RunConfig& c) { c.stem = "tiny"; }, "--stem is tiny");
  refuse([](RunConfig& c) { c.schedule = "linear"; }, "--schedule is linear");
  refuse([](RunConfig& c) { c.size = 4; }, "--size is 4");
  refuse([](RunConfig& c) { c.batch = 1; }, "--batch is 1");
  refuse([](RunConfig& c) { c.epochs = 0; }, "--epochs is 0");
  refuse([](RunConfig& c) { c.lr = 0; }, "--lr is 0");
  refuse([](RunConfig& c) { c.warmup = 21; }, "--warmup is 21");
  refuse([](RunConfig& c) { c.momentum = 1; }, "--momentum is 1");
  refuse([](RunConfig& c) { c.weight_decay = -1; }, "--weight-decay is -1");
  refuse([](RunConfig& c) { c.smoothing = 1; }, "--smoothing is 1");
  refuse([](RunConfig& c) { c.smallest_crop = 0; }, "--smallest-crop is 0");
}

TEST_CASE("what is no configuration is refused by name") {
  const TemporaryFolder folder;
  const auto file = folder / "config.json";
  CHECK_THROWS_WITH_AS(static_cast<void>(animals::read_config(file)), doctest::Contains("there is no such file"),
                       animals::failure);
  for (const auto& [content, part] : {std::pair{"", "no sound configuration"},
                                      {"{}", "not the configuration"},
                                      {R"({"format":"animals_train run","version":2})", "version 2, expected 1"},
                                      {R"({"format":"animals_train run","version":1})", "no sound configuration"}}) {
    std::ofstream(file) << content;
    CHECK_THROWS_WITH_AS(static_cast<void>(animals::read_config(file)), doctest::Contains(part), animals::failure);
  }
}

TEST_CASE("the schedules warm up and come down") {
  RunConfig config;
  config.epochs = 10;
  config.lr = 1.0;
  const auto cosine = animals::make_schedule(config, 100);  // warm-up: one epoch
  CHECK(cosine(0) < 0.02);
  CHECK(cosine(100) == doctest::Approx(1.0));
  CHECK(cosine(550) == doctest::Approx(0.5));
  CHECK(cosine(999) < 0.001);
  config.schedule = "step";
  config.warmup = 0;
  const auto steps = animals::make_schedule(config, 100);
  CHECK(steps(0) == doctest::Approx(1.0));
  CHECK(steps(599) == doctest::Approx(1.0));
  CHECK(steps(600) == doctest::Approx(0.1));
  CHECK(steps(850) == doctest::Approx(0.01));
}

TEST_CASE("the stem follows the size unless it is given") {
  RunConfig config;
  config.size = 64;
  CHECK(animals::network_options(config).stem == animals::Stem::large);
  config.size = 32;
  CHECK(animals::network_options(config).stem == animals::Stem::small);
  config.stem = "large";
  CHECK(animals::network_options(config).stem == animals::Stem::large);
  config.momentum = 0;
  CHECK_FALSE(animals::network_options(config).sgd.nesterov);
}

}  // namespace
