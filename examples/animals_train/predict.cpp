// SPDX-License-Identifier: Apache-2.0
#include "predict.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ostream>

#include <nlohmann/json.hpp>

#include "augment.hpp"
#include "decode.hpp"
#include "text.hpp"

namespace animals {

namespace {

std::vector<double> softmax(const Logits& logits) {
  const Index classes = logits.shape.c;
  std::vector<double> result(static_cast<std::size_t>(classes));
  const double largest = *std::max_element(logits.data, logits.data + classes);
  std::transform(logits.data, logits.data + classes, result.begin(),
                 [largest](float v) { return std::exp(static_cast<double>(v) - largest); });
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& p : result) p /= sum;
  return result;
}

std::vector<std::size_t> most_probable(const Prediction& one, Index top) {
  std::vector<std::size_t> order(one.probability.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return one.probability[a] > one.probability[b]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(top)));
  return order;
}

std::string csv_field(const std::string& value) {
  if (value.find_first_of(",\"\n\r") == std::string::npos) return value;
  std::string quoted = "\"";
  for (const char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

void write_text(std::ostream& out, const Prediction& one, const std::vector<std::string>& classes, Index top) {
  if (!one.fault.empty()) return;
  out << one.file << ':';
  for (const std::size_t c : most_probable(one, top))
    out << "  " << classes[c] << ' ' << fixed(100 * one.probability[c], 1) << '%';
  out << '\n';
}

void write_csv(std::ostream& out, const Prediction& one, const std::vector<std::string>& classes, Index top) {
  int rank = 0;
  for (const std::size_t c : most_probable(one, top))
    out << csv_field(one.file) << ',' << ++rank << ',' << csv_field(classes[c]) << ',' << fixed(one.probability[c], 6)
        << ",\n";
  if (!one.fault.empty()) out << csv_field(one.file) << ",,,," << csv_field(one.fault) << '\n';
}

nlohmann::ordered_json to_json(const Prediction& one, const std::vector<std::string>& classes, Index top) {
  nlohmann::ordered_json json;
  json["file"] = one.file;
  if (!one.fault.empty()) {
    json["error"] = one.fault;
    return json;
  }
  json["top"] = nlohmann::ordered_json::array();
  for (const std::size_t c : most_probable(one, top))
    json["top"].push_back({{"class", classes[c]}, {"probability", one.probability[c]}});
  return json;
}

}  // namespace

std::vector<Prediction> predict(Network& network, const RunConfig& config, const std::vector<std::string>& files) {
  std::vector<Prediction> predictions;
  FloatTensor input({1, 3, config.size, config.size});
  for (const std::string& file : files) {
    Prediction& one = predictions.emplace_back();
    one.file = file;
    try {
      const Image image = reduced(load_image(file, {.short_side = stored_side(config)}), stored_side(config));
      to_planes(image, centre_crop(image.width, image.height), config.size, input.data());
      one.probability = softmax(network.infer(input));
    } catch (const failure& problem) {
      one.fault = problem.what();
    }
  }
  return predictions;
}

void write_predictions(std::ostream& out, const std::vector<Prediction>& predictions,
                       const std::vector<std::string>& classes, Index top, const std::string& format) {
  if (format == "json") {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const Prediction& one : predictions) all.push_back(to_json(one, classes, top));
    out << all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return;
  }
  if (format == "csv") out << "file,rank,class,probability,error\n";
  for (const Prediction& one : predictions) {
    if (format == "csv")
      write_csv(out, one, classes, top);
    else
      write_text(out, one, classes, top);
  }
}

}  // namespace animals
