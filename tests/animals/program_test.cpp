// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "../support/temporary_folder.hpp"
#include "program.hpp"
#include "tiny_network.hpp"

namespace {

namespace fs = std::filesystem;

using animals::read_text;
using animals::testing::write_file;
using recal::testing::TemporaryFolder;

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

/// Lends a stream's buffer to a string for as long as it lives.
class Captured {
 public:
  explicit Captured(std::ostream& stream) : stream_(stream), old_(stream.rdbuf(text_.rdbuf())) {}
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() { stream_.rdbuf(old_); }
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* old_;
};

Outcome call(std::vector<std::string> words) {
  words.insert(words.begin(), "animals_train");
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  const Captured out(std::cout);
  const Captured err(std::cerr);
  const int status = animals::run_program(static_cast<int>(pointers.size()), pointers.data());
  return {status, out.text(), err.text()};
}

bool says(const std::string& found, const std::string& part) { return found.find(part) != std::string::npos; }

/// A data folder with a broken file, and its split.
struct Place {
  TemporaryFolder folder;
  std::string data = (folder / "data").string();
  std::string split = (folder / "split.json").string();
  std::string run = (folder / "run").string();

  Place() {
    static_cast<void>(animals::testing::two_classes(data, 12));
    write_file(folder / "data/above/broken.jpg", {'x'});
    const Outcome outcome = call({"split", "--data", data, "--out", split, "--val", "0.25"});
    REQUIRE(outcome.status == 0);
    CHECK(says(outcome.out, "left out: above/broken.jpg is plain text, not JPEG or PNG"));
    CHECK(says(outcome.out, "all          18       6"));
  }

  [[nodiscard]] Outcome train(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"train", "--out", run};
    words.insert(words.end(), more.begin(), more.end());
    return call(words);
  }
  [[nodiscard]] std::vector<std::string> small_recipe(const std::string& epochs = "2") const {
    return {"--split",  split,  "--net", "resnet18", "--recalibration", "srm", "--size", "8", "--batch", "6",
            "--epochs", epochs, "--lr",  "0.01"};
  }
};

std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST_CASE("split, train, go on, eval, predict and show work together") {
  const Place place;
  const fs::path run = place.run;
  Outcome outcome = place.train(with(place.small_recipe(), {"--limit-steps", "2"}));
  CHECK(outcome.status == 0);
  CHECK(says(outcome.out, "resnet18 with srm"));
  CHECK(says(outcome.out, "the limit of 2 steps is reached"));

  outcome = place.train(place.small_recipe());
  CHECK(outcome.status == 1);
  CHECK(says(outcome.err, "already holds a run; --resume goes on with it"));

  outcome = place.train({"--resume", "--lr", "0.5"});
  CHECK(outcome.status == 1);
  CHECK(says(outcome.err, "--lr 0.5 is not what the run"));

  outcome = place.train({"--resume", "--lr", "0.01"});
  CHECK(outcome.status == 0);
  CHECK(says(outcome.out, "going on after step 2"));
  CHECK(says(outcome.out, "finished: best validation accuracy"));
  CHECK(says(place.train({"--resume"}).out, "finished: best validation accuracy"));

  const fs::path json = place.folder / "report.json";
  outcome = call({"eval", "--run", place.run, "--json", json.string()});
  CHECK(outcome.status == 0);
  CHECK(says(outcome.out, "confusion"));
  CHECK(nlohmann::json::parse(read_text(json))["images"] == 6);
  CHECK(says(call({"eval", "--run", place.run, "--subset", "train", "--checkpoint", "last"}).out, "images 18"));

  const std::string good = place.data + "/below/1.png";
  outcome = call({"predict", "--run", place.run, good, place.data + "/above/broken.jpg", good, "--top", "1"});
  CHECK(outcome.status == 3);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 2);
  CHECK(says(outcome.err, "broken.jpg is plain text"));
  outcome = call({"predict", "--run", place.run, good, "--format", "json"});
  CHECK(outcome.status == 0);
  CHECK(nlohmann::json::parse(outcome.out)[0]["top"].size() == 2);

  const std::string grid = (place.folder / "grid.png").string();
  CHECK(call({"show", "--data", place.data, "--out", grid, "--tile", "32"}).status == 0);
  CHECK(call({"show", "--split", place.split, "--subset", "val", "--out", grid}).status == 0);
  CHECK(fs::file_size(grid) > 100);

  outcome = place.train(with(place.small_recipe(), {"--force", "--limit-steps", "1"}));
  CHECK(outcome.status == 0);
  CHECK_FALSE(fs::exists(run / "best.safetensors"));
}

TEST_CASE("a run begun anew and one that goes on are the same to the bit") {
  const Place place;
  const auto recipe = place.small_recipe("1");
  REQUIRE(place.train(with(recipe, {"--threads", "1"})).status == 0);
  const std::string whole = read_text(fs::path(place.run) / "steps.jsonl");
  const std::string weights = read_text(fs::path(place.run) / "last.safetensors");
  REQUIRE(place.train(with(recipe, {"--force", "--limit-steps", "2", "--threads", "2"})).status == 0);
  REQUIRE(place.train({"--resume", "--workers", "2", "--cache-mb", "0"}).status == 0);
  CHECK(read_text(fs::path(place.run) / "steps.jsonl") == whole);
  // The header holds the time that training took; the numbers come after it.
  const std::string again = read_text(fs::path(place.run) / "last.safetensors");
  const std::size_t numbers = weights.size() - 200000;
  REQUIRE(again.size() > numbers);
  CHECK(again.substr(again.size() - numbers) == weights.substr(weights.size() - numbers));
}

TEST_CASE("every command explains itself, and nonsense is told from faults") {
  for (const char* command : {"split", "show", "train", "eval", "predict"}) {
    const Outcome outcome = call({command, "--help"});
    CHECK(outcome.status == 0);
    CHECK(says(outcome.out, "Usage: animals_train " + std::string(command)));
  }
  CHECK(call({"--help"}).status == 0);
  CHECK(says(call({"--version"}).out, "animals_train "));
  CHECK(call({}).status == 2);
  CHECK(call({"train"}).status == 2);
  CHECK(call({"dance"}).status == 2);
  CHECK(call({"predict", "--run", "x", "y.jpg", "--format", "xml"}).status == 2);
  const TemporaryFolder folder;
  CHECK(call({"split", "--data", (folder / "none").string()}).status == 1);
  CHECK(call({"eval", "--run", folder.path().string()}).status == 1);
  CHECK(call({"show", "--out", (folder / "g.png").string()}).status == 1);
  CHECK(says(call({"train", "--out", (folder / "r").string()}).err, "--split is needed"));
}

}  // namespace
