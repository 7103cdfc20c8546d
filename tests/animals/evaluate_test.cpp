// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cmath>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "../support/temporary_folder.hpp"
#include "evaluate.hpp"
#include "evaluation_report.hpp"
#include "tiny_network.hpp"

namespace {

using animals::EvaluateOptions;
using animals::Evaluation;
using animals::ImageStore;
using animals::Index;
using animals::Logits;
using recal::testing::TemporaryFolder;

/// Says class 0 with probability 3/4, whatever it sees.
class ConstantNetwork final : public animals::Network {
 public:
  Logits infer(const animals::FloatTensor& images) override {
    logits_.resize({images.shape().n, 2, 1, 1});
    for (Index n = 0; n < images.shape().n; ++n) {
      logits_(n, 0, 0, 0) = std::log(3.0F);
      logits_(n, 1, 0, 0) = 0.0F;
    }
    return std::as_const(logits_).view();
  }
  Logits forward(const animals::FloatTensor& images) override { return infer(images); }
  void learn(const animals::FloatTensor&, const animals::FloatTensor&, double) override {}
  [[nodiscard]] Index parameters() const override { return 0; }
  void save_weights(const std::filesystem::path&, const recal::train::Notes&) const override {}
  void save_all(const std::filesystem::path&, const recal::train::Notes&) const override {}
  recal::train::Notes load_weights(const std::filesystem::path&) override { return {}; }
  recal::train::Notes load_all(const std::filesystem::path&) override { return {}; }

 private:
  animals::FloatTensor logits_;
};

struct Place {
  TemporaryFolder folder;
  animals::Split split = animals::testing::two_classes(folder.path(), 7);  // 6 a class in train
  EvaluateOptions options;

  Place() {
    options.classes = 2;
    options.size = 8;
    options.batch = 5;
  }
};

TEST_CASE("loss, accuracy and confusion follow from the logits, whatever the batch") {
  Place place;
  ConstantNetwork network;
  for (const Index batch : {1, 5, 100}) {
    place.options.batch = batch;
    ImageStore store(place.folder.path(), place.split.train, {});
    Index reported = 0;
    place.options.report = [&](Index done, Index) { reported = done; };
    const auto result = animals::evaluate(network, store, place.options);
    REQUIRE(result.has_value());
    CHECK(result->images == 12);
    CHECK(reported == 12);
    CHECK(result->count(0, 0) == 6);
    CHECK(result->count(1, 0) == 6);
    CHECK(result->accuracy() == 0.5);
    CHECK(result->accuracy_of(0) == 1.0);
    CHECK(result->accuracy_of(1) == 0.0);
    CHECK(result->loss == doctest::Approx(-0.5 * (std::log(0.75) + std::log(0.25))));
  }
}

TEST_CASE("evaluation stops when it is told to") {
  Place place;
  ConstantNetwork network;
  const std::atomic<bool> stop{true};
  place.options.stop = &stop;
  ImageStore store(place.folder.path(), place.split.train, {});
  CHECK_FALSE(animals::evaluate(network, store, place.options).has_value());
}

TEST_CASE("nothing to evaluate is no division by zero") {
  Place place;
  ConstantNetwork network;
  ImageStore store(place.folder / "missing", place.split.train, {});
  const auto result = animals::evaluate(network, store, place.options);
  REQUIRE(result.has_value());
  CHECK(result->images == 0);
  CHECK(result->accuracy() == 0.0);
  CHECK(result->loss == 0.0);
  CHECK(result->broken.size() == 12);
}

TEST_CASE("the reports say the numbers") {
  Evaluation evaluation;
  evaluation.classes = 2;
  evaluation.images = 10;
  evaluation.loss = 0.25;
  evaluation.network_seconds = 0.05;
  evaluation.confusion = {4, 1, 2, 3};
  const std::string text = animals::report_text(evaluation, {"cat", "dog"});
  CHECK(text.find("images 10  loss 0.2500  accuracy 70.00%  network 5.000 ms an image") != std::string::npos);
  CHECK(text.find("cat           5    80.00%     66.67%") != std::string::npos);
  const auto json = nlohmann::json::parse(animals::report_json(evaluation, {"cat", "dog"}));
  CHECK(json["accuracy"] == 0.7);
  CHECK(json["ms_per_image"] == doctest::Approx(5.0));
  CHECK(json["classes"][1]["predicted"]["cat"] == 2);
  CHECK(json["classes"][1]["accuracy"] == 0.6);
}

}  // namespace
