// SPDX-License-Identifier: Apache-2.0
#include "run_config.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <recal/io/atomic_file.hpp>
#include <recal/train/schedule.hpp>

#include "file_bytes.hpp"
#include "text.hpp"

namespace animals {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* format_name = "animals_train run";
constexpr int format_version = 1;

/// Images at least this large get the stem that shrinks them by four at once.
constexpr Index large_stem_from = 48;

void require(bool ok, const char* option, const auto& found, const char* expected) {
  if (!ok) fail(option, " is ", found, ", expected ", expected);
}

bool is_one_of(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Calls f(key, member) for everything in the file but the split's path.
template <class Config, class F>
void for_each_setting(Config& config, F&& f) {
  f("split_hash", config.split_hash);
  f("classes", config.classes);
  f("net", config.net);
  f("recalibration", config.recalibration);
  f("stem", config.stem);
  f("size", config.size);
  f("batch", config.batch);
  f("epochs", config.epochs);
  f("lr", config.lr);
  f("schedule", config.schedule);
  f("warmup", config.warmup);
  f("momentum", config.momentum);
  f("weight_decay", config.weight_decay);
  f("smoothing", config.smoothing);
  f("smallest_crop", config.smallest_crop);
  f("seed", config.seed);
}

}  // namespace

void check_config(const RunConfig& config) {
  require(is_one_of(config.net, network_names()), "--net", config.net, "a network that --help names");
  require(is_one_of(config.recalibration, recalibration_names()), "--recalibration", config.recalibration,
          "a module that --help names");
  require(is_one_of(config.stem, {"auto", "large", "small"}), "--stem", config.stem, "auto, large or small");
  require(is_one_of(config.schedule, {"cosine", "step"}), "--schedule", config.schedule, "cosine or step");
  require(config.size >= 8 && config.size <= 1024, "--size", config.size, "8 to 1024");
  require(config.batch >= 2 && config.batch <= 4096, "--batch", config.batch, "2 to 4096");
  require(config.epochs >= 1 && config.epochs <= 100000, "--epochs", config.epochs, "1 to 100000");
  require(config.lr > 0 && std::isfinite(config.lr), "--lr", config.lr, "a number above 0");
  require(config.warmup <= static_cast<double>(config.epochs), "--warmup", config.warmup, "at most --epochs");
  require(config.momentum >= 0 && config.momentum < 1, "--momentum", config.momentum, "0 or more, below 1");
  require(config.weight_decay >= 0 && std::isfinite(config.weight_decay), "--weight-decay", config.weight_decay,
          "0 or more");
  require(config.smoothing >= 0 && config.smoothing < 1, "--smoothing", config.smoothing, "0 or more, below 1");
  require(config.smallest_crop > 0 && config.smallest_crop <= 1, "--smallest-crop", config.smallest_crop,
          "above 0, at most 1");
}

void write_config(const fs::path& path, const RunConfig& config) {
  Json json;
  json["format"] = format_name;
  json["version"] = format_version;
  const fs::path from = fs::absolute(path).lexically_normal().parent_path();
  json["split"] = fs::absolute(config.split).lexically_normal().lexically_relative(from).generic_string();
  for_each_setting(config, [&json](const char* key, const auto& value) { json[key] = value; });
  recal::io::write_atomically(path, json.dump(1) + "\n");
}

RunConfig read_config(const fs::path& path) {
  const std::string content = read_text(path);
  try {
    const Json json = Json::parse(content);
    if (json.value("format", "") != format_name) fail(path.string(), " is not the configuration of a run");
    if (json.at("version").get<int>() != format_version)
      fail(path.string(), " is of version ", json.at("version").get<int>(), ", expected ", format_version);
    RunConfig config;
    config.split = (fs::absolute(path).parent_path() / json.at("split").get<std::string>()).lexically_normal();
    for_each_setting(config, [&json](const char* key, auto& value) { json.at(key).get_to(value); });
    check_config(config);
    return config;
  } catch (const Json::exception& problem) {
    fail(path.string(), " is no sound configuration: ", problem.what());
  }
}

std::function<double(Index)> make_schedule(const RunConfig& config, Index steps_per_epoch) {
  const auto epochs = static_cast<double>(config.epochs);
  const double warm_epochs = config.warmup < 0.0 ? std::min(5.0, 0.1 * epochs) : config.warmup;
  const auto steps_in = [steps_per_epoch](double n) {
    return static_cast<Index>(std::lround(n * static_cast<double>(steps_per_epoch)));
  };
  if (config.schedule == "step")
    return recal::train::StepSchedule{.base = config.lr,
                                      .milestones = {steps_in(0.6 * epochs), steps_in(0.85 * epochs)},
                                      .warmup = steps_in(warm_epochs)};
  return recal::train::CosineSchedule{
      .base = config.lr, .steps = config.epochs * steps_per_epoch, .warmup = steps_in(warm_epochs)};
}

NetworkOptions network_options(const RunConfig& config) {
  NetworkOptions options;
  options.net = config.net;
  options.recalibration = config.recalibration;
  options.classes = static_cast<Index>(config.classes.size());
  options.size = config.size;
  options.stem =
      config.stem == "large" || (config.stem == "auto" && config.size >= large_stem_from) ? Stem::large : Stem::small;
  options.seed = config.seed;
  options.sgd = {.momentum = config.momentum, .weight_decay = config.weight_decay, .nesterov = config.momentum > 0};
  return options;
}

Index stored_side(const RunConfig& config) { return (3 * config.size + 1) / 2; }

}  // namespace animals
