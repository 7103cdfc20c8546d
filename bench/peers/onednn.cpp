// SPDX-License-Identifier: Apache-2.0
// oneDNN on the convolutions of ResNet-50, in the layouts that it likes best; bringing tensors into them is not timed.

#include <algorithm>
#include <string>
#include <unordered_map>

#include <omp.h>
#include <dnnl.hpp>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

using dnnl::memory;
using dnnl::prop_kind;

constexpr auto algorithm = dnnl::algorithm::convolution_auto;

/// What a convolution is made from; oneDNN chooses the layouts.
struct Problem {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  memory::desc x, weight, y;
  memory::dims strides, padding;

  explicit Problem(const bench::Layer& layer)
      : x(any({bench::layer_batch, layer.in, layer.size, layer.size})),
        weight(any({layer.out, layer.in, layer.kernel, layer.kernel})),
        y(any({bench::layer_batch, layer.out, layer.output_size(), layer.output_size()})),
        strides{layer.stride, layer.stride},
        padding{layer.padding(), layer.padding()} {}

  [[nodiscard]] static memory::desc any(const memory::dims& sizes) {
    return {sizes, memory::data_type::f32, memory::format_tag::any};
  }

  /// The gradients are asked for with the forward pass as a hint.
  [[nodiscard]] dnnl::convolution_forward::primitive_desc forward() const {
    return {{prop_kind::forward_training, algorithm, x, weight, y, strides, padding, padding}, engine};
  }
  [[nodiscard]] dnnl::convolution_backward_data::primitive_desc data() const {
    return {{algorithm, x, weight, y, strides, padding, padding}, engine, forward()};
  }
  [[nodiscard]] dnnl::convolution_backward_weights::primitive_desc weights() const {
    return {{algorithm, x, weight, y, strides, padding, padding}, engine, forward()};
  }
};

[[nodiscard]] memory filled(const memory::desc& desc, const dnnl::engine& engine) {
  memory tensor(desc, engine);
  std::fill_n(static_cast<float*>(tensor.get_data_handle()), desc.get_size() / sizeof(float), 0.5F);
  return tensor;
}

void execute(benchmark::State& state, const bench::Layer& layer, const dnnl::engine& engine,
             const dnnl::primitive& primitive, const std::unordered_map<int, memory::desc>& tensors) {
  omp_set_num_threads(recal::thread_count());
  dnnl::stream stream(engine);
  std::unordered_map<int, memory> arguments;
  for (const auto& [name, desc] : tensors) arguments.emplace(name, filled(desc, engine));
  bench::repeat(state, [&] {
    primitive.execute(stream, arguments);
    stream.wait();
  });
  bench::count_flops(state, layer.flops(bench::layer_batch));
}

void forward(benchmark::State& state, const bench::Layer& layer) {
  const Problem problem(layer);
  const auto chosen = problem.forward();
  execute(state, layer, problem.engine, dnnl::convolution_forward(chosen),
          {{DNNL_ARG_SRC, chosen.src_desc()},
           {DNNL_ARG_WEIGHTS, chosen.weights_desc()},
           {DNNL_ARG_DST, chosen.dst_desc()}});
}

void data(benchmark::State& state, const bench::Layer& layer) {
  const Problem problem(layer);
  const auto chosen = problem.data();
  execute(state, layer, problem.engine, dnnl::convolution_backward_data(chosen),
          {{DNNL_ARG_DIFF_SRC, chosen.diff_src_desc()},
           {DNNL_ARG_WEIGHTS, chosen.weights_desc()},
           {DNNL_ARG_DIFF_DST, chosen.diff_dst_desc()}});
}

void weight(benchmark::State& state, const bench::Layer& layer) {
  const Problem problem(layer);
  const auto chosen = problem.weights();
  execute(state, layer, problem.engine, dnnl::convolution_backward_weights(chosen),
          {{DNNL_ARG_SRC, chosen.src_desc()},
           {DNNL_ARG_DIFF_WEIGHTS, chosen.diff_weights_desc()},
           {DNNL_ARG_DIFF_DST, chosen.diff_dst_desc()}});
}

const bench::Registration convolutions([] {
  const dnnl_version_t& version = *dnnl::version();
  benchmark::AddCustomContext("onednn", std::to_string(version.major) + '.' + std::to_string(version.minor) + '.' +
                                            std::to_string(version.patch));
  const auto add_product = [](const std::string& product, const bench::Layer& layer, auto run) {
    bench::add("onednn/" + product + '/' + layer.name(), [&layer, run](benchmark::State& state) { run(state, layer); });
  };
  for (const bench::Layer& layer : bench::resnet50_layers) {
    add_product("forward", layer, forward);
    if (!layer.sees_images()) add_product("data", layer, data);
    add_product("weight", layer, weight);
  }
});

}  // namespace
