// SPDX-License-Identifier: Apache-2.0
// memory_step MODULE PIXELS BATCH: what two steps of training ResNet-50 add to the peak of this process's memory, in
// the JSON of Google Benchmark. MODULE is none, srm, se or ge.

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <recal/core/error.hpp>

#include "network.hpp"
#include "workloads.hpp"

namespace {

/// The most memory that was resident so far. Not getrusage(), which starts from what the parent process held.
[[nodiscard]] double peak_mib() {
  std::ifstream status("/proc/self/status");
  const std::string key = "VmHWM:";
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stod(line.substr(key.size())) / 1024;
  recal::fail("/proc/self/status has no ", key);
}

[[nodiscard]] double step_mib(const std::string& module, const bench::Images& images) {
  const double before = peak_mib();
  const auto network = bench::make_network(module, 1000);
  const recal::Tensor<float> batch(images.shape(), 0.5F);
  const std::vector<recal::Index> labels(static_cast<std::size_t>(images.batch));
  for (int step = 0; step < 2; ++step) network->train(batch, labels);
  return peak_mib() - before;
}

}  // namespace

int main(int argc, char** argv) try {
  recal::check(argc == 4, "expected memory_step MODULE PIXELS BATCH");
  const std::string module = argv[1];
  const bench::Images images{.pixels = std::stol(argv[2]), .batch = std::stol(argv[3])};
  const double mib = step_mib(module, images);
  std::cout << R"({"context": {"library": "recal"}, "benchmarks": [{"name": "memory/)" << module << '/' << images.name()
            << R"(", "run_type": "iteration", "repetition_index": 0, "time_unit": "MiB", "real_time": )" << mib
            << "}]}\n";
  return 0;
} catch (const std::exception& problem) {
  std::cerr << problem.what() << '\n';
  return 1;
}
