// SPDX-License-Identifier: Apache-2.0
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "../support/temporary_folder.hpp"
#include "predict.hpp"
#include "tiny_network.hpp"

namespace {

using animals::Prediction;
using recal::testing::TemporaryFolder;

std::vector<Prediction> some_predictions() {
  return {{"a, b.jpg", {0.2, 0.5, 0.3}, ""}, {"c.jpg", {}, "is empty, not JPEG or PNG"}};
}

std::string written(const std::string& format) {
  std::ostringstream out;
  animals::write_predictions(out, some_predictions(), {"cat", "dog", "cow"}, 2, format);
  return out.str();
}

TEST_CASE("predictions are written as text, CSV and JSON") {
  CHECK(written("text") == "a, b.jpg:  dog 50.0%  cow 30.0%\n");
  CHECK(written("csv") ==
        "file,rank,class,probability,error\n"
        "\"a, b.jpg\",1,dog,0.500000,\n"
        "\"a, b.jpg\",2,cow,0.300000,\n"
        "c.jpg,,,,\"is empty, not JPEG or PNG\"\n");
  const auto json = nlohmann::json::parse(written("json"));
  CHECK(json[0]["top"][0]["class"] == "dog");
  CHECK(json[0]["top"][1]["probability"] == 0.3);
  CHECK(json[0]["top"].size() == 2);
  CHECK(json[1]["error"] == "is empty, not JPEG or PNG");
}

TEST_CASE("each file gets probabilities that sum to one, or a fault") {
  const TemporaryFolder folder;
  const auto split = animals::testing::two_classes(folder.path(), 1);
  animals::RunConfig config;
  config.size = 8;
  const auto network = animals::testing::linear_network(2, 8);
  const std::string good = (folder / split.train[0].file).string();
  const auto predictions =
      animals::predict(*network, config, {good, (folder / "none.jpg").string(), folder.path().string(), good});
  REQUIRE(predictions.size() == 4);
  CHECK(predictions[0].probability == std::vector<double>{0.5, 0.5});
  CHECK(predictions[1].fault == "there is no such file");
  CHECK(predictions[2].fault == "is a folder");
  CHECK(predictions[3].probability == predictions[0].probability);
}

}  // namespace
