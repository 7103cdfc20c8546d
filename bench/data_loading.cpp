// SPDX-License-Identifier: Apache-2.0
// Epochs over the bundled photographs with the loader of animals_train. "waiting" is the share of the time in which the
// network has no batch to work on.

#include <chrono>

#include <folder.hpp>
#include <image_store.hpp>
#include <loader.hpp>

#include "build_info.hpp"
#include "harness.hpp"
#include "network.hpp"

namespace {

using Seconds = std::chrono::duration<double>;
using Clock = std::chrono::steady_clock;

/// Gives the seconds spent waiting.
double train_epoch(bench::Network& network, animals::ImageStore& store) {
  animals::Loader loader(store, {.size = 64, .batch = 32}, {});
  Seconds waited{0};
  while (true) {
    const auto begin = Clock::now();
    const auto batch = loader.next();
    waited += Clock::now() - begin;
    if (!batch) return waited.count();
    network.train(batch->images, batch->labels);
  }
}

/// `decoded`: whether the photographs are in memory already, as they are from the second epoch on.
void run(benchmark::State& state, bool decoded) {
  const animals::Folder folder = animals::scan_folder(bench::build::photos);
  const auto network = bench::make_network("srm", static_cast<bench::Index>(folder.classes.size()));
  animals::ImageStore store(folder.root, folder.samples, {});
  if (decoded) train_epoch(*network, store);
  double waited = 0;
  const auto begin = Clock::now();
  for (auto _ : state) state.SetIterationTime(bench::seconds_of([&] { waited += train_epoch(*network, store); }));
  state.counters["waiting"] = waited / Seconds(Clock::now() - begin).count();
}

const bench::Registration epochs([] {
  bench::add("data_loading/first_epoch/64px", [](benchmark::State& state) { run(state, false); });
  bench::add("data_loading/later_epoch/64px", [](benchmark::State& state) { run(state, true); });
});

}  // namespace
