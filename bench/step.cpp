// SPDX-License-Identifier: Apache-2.0
// ResNet-50: whole steps of training, and inference.

#include <array>
#include <string>
#include <vector>

#include "harness.hpp"
#include "network.hpp"
#include "workloads.hpp"

namespace {

using bench::Images;
using bench::Index;

constexpr Index classes = 1000;

/// One training step is three products for each of the forward pass.
void train(benchmark::State& state, const std::string& module, const Images& images) {
  const auto network = bench::make_network(module, classes);
  const bench::Tensor batch = bench::noise(images.shape());
  std::vector<Index> labels;
  for (Index i = 0; i < images.batch; ++i) labels.push_back(i * 37 % classes);
  bench::repeat(state, [&] { network->train(batch, labels); });
  bench::count_flops(state, 3 * bench::resnet50_flops(images.pixels, images.batch));
}

void infer(benchmark::State& state, const std::string& module, const Images& images) {
  const auto network = bench::make_network(module, classes);
  const bench::Tensor batch = bench::noise(images.shape());
  bench::repeat(state, [&] { network->infer(batch); });
  bench::count_flops(state, bench::resnet50_flops(images.pixels, images.batch));
}

void train_on_one_thread(benchmark::State& state, const Images& images) {
  const int threads = recal::thread_count();
  recal::set_thread_count(1);
  train(state, "none", images);
  recal::set_thread_count(threads);
}

const bench::Registration steps([] {
  constexpr std::array training{Images{64, 16}, Images{128, 16}, Images{224, 8}};
  constexpr std::array inference{Images{224, 1}, Images{224, 8}};
  for (const std::string module : {"none", "srm", "se", "ge"}) {
    for (const Images& images : training)
      bench::add("step/" + module + '/' + images.name(),
                 [=](benchmark::State& state) { train(state, module, images); });
    for (const Images& images : inference)
      bench::add("inference/" + module + '/' + images.name(),
                 [=](benchmark::State& state) { infer(state, module, images); });
  }
  bench::add("step_on_one_thread/none/" + training[0].name(),
             [=](benchmark::State& state) { train_on_one_thread(state, training[0]); });
});

}  // namespace
