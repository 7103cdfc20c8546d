// SPDX-License-Identifier: Apache-2.0
#include "run_log.hpp"

#include <array>
#include <charconv>
#include <string>

#include <nlohmann/json.hpp>

#include <recal/io/atomic_file.hpp>

#include "file_bytes.hpp"
#include "text.hpp"

namespace animals {

namespace fs = std::filesystem;

namespace {

constexpr const char* metrics_header =
    "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second";

/// The whole lines of a file; none where there is no file.
std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  if (!fs::exists(path)) return lines;
  const std::string content = read_text(path);
  for (std::size_t begin = 0, end = 0; (end = content.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(content.substr(begin, end - begin));
  return lines;
}

Index step_of(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  return json.is_object() && json.contains("step") ? json["step"].get<Index>() : -1;
}

Index epoch_of(const std::string& row) {
  Index epoch = -1;
  std::from_chars(row.data(), row.data() + row.size(), epoch);
  return epoch;
}

void keep_steps(const fs::path& path, Index step) {
  std::string kept;
  for (const std::string& line : lines_of(path)) {
    const Index own = step_of(line);
    if (own >= 1 && own <= step) kept += line + '\n';
  }
  recal::io::write_atomically(path, kept);
}

void keep_epochs(const fs::path& path, Index epoch) {
  std::string kept = std::string(metrics_header) + '\n';
  for (const std::string& row : lines_of(path)) {
    const Index own = epoch_of(row);
    if (own >= 1 && own <= epoch) kept += row + '\n';
  }
  recal::io::write_atomically(path, kept);
}

std::ofstream open_to_append(const fs::path& path) {
  std::ofstream out(path, std::ios::app);
  if (!out) fail(path.string(), " cannot be written");
  return out;
}

std::string shortest(double value) {
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

void check_written(const std::ofstream& out, const char* name) {
  if (!out) fail("the run's ", name, " cannot be written: is the disk full?");
}

}  // namespace

RunLog::RunLog(const fs::path& folder, Index step, Index epoch) {
  keep_steps(folder / "steps.jsonl", step);
  keep_epochs(folder / "metrics.csv", epoch);
  steps_ = open_to_append(folder / "steps.jsonl");
  metrics_ = open_to_append(folder / "metrics.csv");
}

void RunLog::add(const StepRecord& record) {
  nlohmann::ordered_json line;
  line["step"] = record.step;
  line["epoch"] = record.epoch;
  line["lr"] = record.lr;
  line["loss"] = record.loss;
  line["correct"] = record.correct;
  line["images"] = record.images;
  steps_ << line.dump() + '\n' << std::flush;
  check_written(steps_, "steps.jsonl");
}

void RunLog::add(const EpochRecord& record) {
  metrics_ << text(record.epoch, ',', record.step, ',', shortest(record.lr), ',', shortest(record.train_loss), ',',
                   shortest(record.train_accuracy), ',', shortest(record.val_loss), ',', shortest(record.val_accuracy),
                   ',', fixed(record.seconds, 3), ',', fixed(record.images_per_second, 3), '\n')
           << std::flush;
  check_written(metrics_, "metrics.csv");
}

}  // namespace animals
