// SPDX-License-Identifier: Apache-2.0
// ResNet-50: whole steps of training, and inference. Taken in turns with what they are held against: "over_none" is the
// time over that of the network without modules, "share_of_peak" the rate of multiply-adds over that of a loop of
// nothing else, "over_all_threads" the time of one thread over that of all.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "harness.hpp"
#include "network.hpp"
#include "workloads.hpp"
#include "yardsticks.hpp"

namespace {

using bench::Images;
using bench::Index;

constexpr Index classes = 1000;

/// A network and images to train it with.
class Training {
 public:
  Training(const std::string& module, const Images& images)
      : network_(bench::make_network(module, classes)), batch_(bench::noise(images.shape())) {
    for (Index i = 0; i < images.batch; ++i) labels_.push_back(i * 37 % classes);
  }

  void step() { network_->train(batch_, labels_); }

 private:
  std::unique_ptr<bench::Network> network_;
  bench::Tensor batch_;
  std::vector<Index> labels_;
};

/// Times f, which does so many operations, beside the machine's peak.
template <class F>
void repeat_beside_peak(benchmark::State& state, double flops, const F& f) {
  const double over = bench::repeat_beside(state, f, bench::MultiplyAdds{});
  state.counters["share_of_peak"] = flops / bench::MultiplyAdds::flops / over;
  bench::count_flops(state, flops);
}

/// One training step is three products for each of the forward pass.
[[nodiscard]] double training_flops(const Images& images) {
  return 3 * bench::resnet50_flops(images.pixels, images.batch);
}

void train(benchmark::State& state, const Images& images) {
  Training plain("none", images);
  repeat_beside_peak(state, training_flops(images), [&] { plain.step(); });
}

void train_with_module(benchmark::State& state, const std::string& module, const Images& images) {
  Training plain("none", images);
  Training own(module, images);
  state.counters["over_none"] = bench::repeat_beside(
      state, [&] { own.step(); }, [&] { plain.step(); });
  bench::count_flops(state, training_flops(images));
}

void infer(benchmark::State& state, const std::string& module, const Images& images) {
  const auto network = bench::make_network(module, classes);
  const bench::Tensor batch = bench::noise(images.shape());
  repeat_beside_peak(state, bench::resnet50_flops(images.pixels, images.batch), [&] { network->infer(batch); });
}

void train_on_one_thread(benchmark::State& state, const Images& images) {
  const int threads = recal::thread_count();
  Training plain("none", images);
  const auto step_on = [&](int count) {
    recal::set_thread_count(count);
    plain.step();
  };
  state.counters["over_all_threads"] = bench::repeat_beside(
      state, [&] { step_on(1); }, [&] { step_on(threads); });
  recal::set_thread_count(threads);
}

/// How often a network is timed in one go; making it takes longer than that.
constexpr int calls_in_turns = 5;

const bench::Registration steps([] {
  constexpr std::array training{Images{64, 16}, Images{128, 16}, Images{224, 8}};
  constexpr std::array inference{Images{224, 1}, Images{224, 8}};
  for (const std::string module : {"none", "srm", "se", "ge"}) {
    for (const Images& images : training)
      bench::add(
          "step/" + module + '/' + images.name(),
          [=](benchmark::State& state) {
            module == "none" ? train(state, images) : train_with_module(state, module, images);
          },
          calls_in_turns);
    for (const Images& images : inference)
      bench::add(
          "inference/" + module + '/' + images.name(), [=](benchmark::State& state) { infer(state, module, images); },
          calls_in_turns);
  }
  bench::add(
      "step_on_one_thread/none/" + training[0].name(),
      [=](benchmark::State& state) { train_on_one_thread(state, training[0]); }, calls_in_turns);
});

}  // namespace
