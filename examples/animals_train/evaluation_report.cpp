// SPDX-License-Identifier: Apache-2.0
#include "evaluation_report.hpp"

#include <algorithm>
#include <iomanip>

#include <nlohmann/json.hpp>

#include "text.hpp"

namespace animals {

namespace {

double milliseconds_per_image(const Evaluation& evaluation) {
  return evaluation.images == 0 ? 0.0 : 1000.0 * evaluation.network_seconds / static_cast<double>(evaluation.images);
}

std::string percent(double share) { return fixed(100.0 * share, 2) + "%"; }

int name_width(const std::vector<std::string>& classes) {
  std::size_t widest = 5;
  for (const std::string& name : classes) widest = std::max(widest, name.size());
  return static_cast<int>(widest) + 2;
}

/// Precision: how many of those called `label` are.
double precision_of(const Evaluation& evaluation, Index label) {
  const Index called = evaluation.predicted_as(label);
  return called == 0 ? 0.0 : static_cast<double>(evaluation.count(label, label)) / static_cast<double>(called);
}

void write_classes(std::ostream& out, const Evaluation& evaluation, const std::vector<std::string>& classes) {
  out << std::left << std::setw(name_width(classes)) << "class" << std::right << std::setw(8) << "images"
      << std::setw(10) << "accuracy" << std::setw(11) << "precision" << '\n';
  for (Index c = 0; c < evaluation.classes; ++c)
    out << std::left << std::setw(name_width(classes)) << classes[static_cast<std::size_t>(c)] << std::right
        << std::setw(8) << evaluation.images_of(c) << std::setw(10) << percent(evaluation.accuracy_of(c))
        << std::setw(11) << percent(precision_of(evaluation, c)) << '\n';
}

void write_confusion(std::ostream& out, const Evaluation& evaluation, const std::vector<std::string>& classes) {
  out << "confusion (rows: what it is, columns: what it was taken for)\n" << std::setw(name_width(classes)) << "";
  for (const std::string& name : classes) out << std::right << std::setw(7) << name.substr(0, 6);
  out << '\n';
  for (Index truth = 0; truth < evaluation.classes; ++truth) {
    out << std::left << std::setw(name_width(classes)) << classes[static_cast<std::size_t>(truth)] << std::right;
    for (Index c = 0; c < evaluation.classes; ++c) out << std::setw(7) << evaluation.count(truth, c);
    out << '\n';
  }
}

}  // namespace

std::string report_text(const Evaluation& evaluation, const std::vector<std::string>& classes) {
  std::ostringstream out;
  out << "images " << evaluation.images << "  loss " << fixed(evaluation.loss, 4) << "  accuracy "
      << percent(evaluation.accuracy()) << "  network " << fixed(milliseconds_per_image(evaluation), 3)
      << " ms an image\n\n";
  write_classes(out, evaluation, classes);
  out << '\n';
  write_confusion(out, evaluation, classes);
  return out.str();
}

std::string report_json(const Evaluation& evaluation, const std::vector<std::string>& classes) {
  nlohmann::ordered_json json;
  json["images"] = evaluation.images;
  json["left_out"] = evaluation.broken.size();
  json["loss"] = evaluation.loss;
  json["accuracy"] = evaluation.accuracy();
  json["ms_per_image"] = milliseconds_per_image(evaluation);
  json["classes"] = nlohmann::ordered_json::array();
  for (Index c = 0; c < evaluation.classes; ++c) {
    nlohmann::ordered_json row;
    row["class"] = classes[static_cast<std::size_t>(c)];
    row["images"] = evaluation.images_of(c);
    row["accuracy"] = evaluation.accuracy_of(c);
    row["precision"] = precision_of(evaluation, c);
    for (Index k = 0; k < evaluation.classes; ++k)
      row["predicted"][classes[static_cast<std::size_t>(k)]] = evaluation.count(c, k);
    json["classes"].push_back(row);
  }
  return json.dump(1);
}

}  // namespace animals
