// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include <recal/io/atomic_file.hpp>

#include "split.hpp"
#include "text.hpp"

namespace animals {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* format_name = "animals_train split";
constexpr int format_version = 1;

Json samples_to_json(const std::vector<Sample>& samples, const std::vector<std::string>& classes) {
  Json by_class = Json::object();
  for (const std::string& name : classes) by_class[name] = Json::array();
  for (const Sample& sample : samples) by_class[classes[static_cast<std::size_t>(sample.label)]].push_back(sample.file);
  return by_class;
}

/// Whether the path stays below the folder that it is appended to.
bool stays_below(const fs::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  for (const auto& part : path)
    if (part == "..") return false;
  return true;
}

std::vector<Sample> samples_from_json(const Json& by_class, const std::vector<std::string>& classes) {
  std::vector<Sample> samples;
  if (by_class.size() != classes.size()) fail("lists ", by_class.size(), " classes, expected ", classes.size());
  for (std::size_t c = 0; c < classes.size(); ++c) {
    for (const Json& file : by_class.at(classes[c])) {
      samples.push_back({file.get<std::string>(), static_cast<Index>(c)});
      if (!stays_below(samples.back().file))
        fail("names ", samples.back().file, ", which is not below the data folder");
    }
  }
  return samples;
}

Split from_json(const Json& json) {
  if (json.value("format", "") != format_name) fail("is not a split made by 'animals_train split'");
  if (json.at("version").get<int>() != format_version)
    fail("is a split of version ", json.at("version").get<int>(), ", expected ", format_version);
  Split split;
  split.root = json.at("root").get<std::string>();
  split.classes = json.at("classes").get<std::vector<std::string>>();
  split.seed = json.at("seed").get<std::uint64_t>();
  split.val_share = json.at("val_share").get<double>();
  split.exact_copies = json.at("exact_copies").get<Index>();
  split.near_copies = json.at("near_copies").get<Index>();
  split.train = samples_from_json(json.at("train"), split.classes);
  split.val = samples_from_json(json.at("val"), split.classes);
  for (const auto& [file, reason] : json.at("skipped").items())
    split.skipped.push_back({file, reason.get<std::string>()});
  if (split.classes.size() < 2) fail("has ", split.classes.size(), " classes, at least two are needed");
  return split;
}

}  // namespace

void write_split(const fs::path& path, const Split& split) {
  const fs::path from = fs::absolute(path).lexically_normal().parent_path();
  Json json;
  json["format"] = format_name;
  json["version"] = format_version;
  json["root"] = fs::absolute(split.root).lexically_normal().lexically_relative(from).generic_string();
  json["classes"] = split.classes;
  json["seed"] = split.seed;
  json["val_share"] = split.val_share;
  json["exact_copies"] = split.exact_copies;
  json["near_copies"] = split.near_copies;
  json["train"] = samples_to_json(split.train, split.classes);
  json["val"] = samples_to_json(split.val, split.classes);
  json["skipped"] = Json::object();
  for (const Skipped& skipped : split.skipped) json["skipped"][skipped.file] = skipped.reason;
  recal::io::write_atomically(path, json.dump(1) + "\n");
}

Split read_split(const fs::path& path) {
  const std::string content = read_text(path);
  try {
    Split split = from_json(Json::parse(content));
    split.root = (path.parent_path() / split.root).lexically_normal();
    return split;
  } catch (const Json::exception& problem) {
    fail(path.string(), " is no sound split: ", problem.what());
  } catch (const failure& problem) {
    fail(path.string(), " ", problem.what());
  }
}

}  // namespace animals
