// SPDX-License-Identifier: Apache-2.0
// Every distinct convolution of ResNet-50, and the gradients of its data and its weights. "over_onednn" is the time
// over oneDNN's, where that is built in, each taken right after the other.

#include <recal/backend/cpu/backend.hpp>
#include <recal/nn/conv2d.hpp>

#include "convolution_peer.hpp"
#include "harness.hpp"
#include "workloads.hpp"

namespace {

class Run {
 public:
  explicit Run(const bench::Layer& layer)
      : conv_(layer.in, layer.out, {.kernel = layer.kernel, .stride = layer.stride, .padding = layer.padding()}),
        x_(bench::noise({.n = bench::layer_batch, .c = layer.in, .h = layer.size, .w = layer.size})),
        y_(bench::noise(conv_.output_shape(x_.shape()), 1)),
        dx_(x_.shape()) {}

  void forward() { conv_.forward(cpu_, x_, y_); }
  void data() { conv_.backward_data(cpu_, y_, dx_); }
  void weight() { conv_.backward_parameters(cpu_, x_, y_); }

 private:
  recal::Cpu cpu_;
  recal::nn::Conv2d<float> conv_;
  bench::Tensor x_, y_, dx_;
};

void add_product(const std::string& product, const bench::Layer& layer, void (Run::*call)()) {
  bench::add("convolution/" + product + '/' + layer.name(), [=, &layer](benchmark::State& state) {
    Run run(layer);
    const auto own = [&] { (run.*call)(); };
    if (bench::convolution_peer)
      state.counters["over_onednn"] =
          bench::repeat_beside(state, own, bench::convolution_peer(product, layer), bench::peer_spins);
    else
      bench::repeat(state, own);
    bench::count_flops(state, layer.flops(bench::layer_batch));
  });
}

const bench::Registration convolutions([] {
  for (const bench::Layer& layer : bench::resnet50_layers) {
    add_product("forward", layer, &Run::forward);
    if (!layer.sees_images()) add_product("data", layer, &Run::data);
    add_product("weight", layer, &Run::weight);
  }
});

}  // namespace
