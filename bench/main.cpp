// SPDX-License-Identifier: Apache-2.0
// recal_bench [--threads=N] [options of Google Benchmark]

#include <charconv>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <recal/core/error.hpp>
#include <recal/core/parallel.hpp>

#include "build_info.hpp"

namespace {

/// Sets the number of threads if `argument` asks for that.
bool take_threads(std::string_view argument) {
  constexpr std::string_view option = "--threads=";
  if (!argument.starts_with(option)) return false;
  const std::string_view text = argument.substr(option.size());
  int threads = 0;
  std::from_chars(text.data(), text.data() + text.size(), threads);
  recal::check(threads >= 1, option, text, ": expected a number from 1 on");
  recal::set_thread_count(threads);
  return true;
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<char*> arguments(argv, argv + argc);
  std::erase_if(arguments, [](const char* argument) { return take_threads(argument); });
  int count = static_cast<int>(arguments.size());
  benchmark::AddCustomContext("library", "recal");
  benchmark::AddCustomContext("threads", std::to_string(recal::thread_count()));
  benchmark::AddCustomContext("compiler", bench::build::compiler);
  benchmark::AddCustomContext("flags", bench::build::flags);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const recal::error& problem) {
  std::cerr << problem.what() << '\n';
  return 1;
}
