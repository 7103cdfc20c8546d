// SPDX-License-Identifier: Apache-2.0
// oneDNN on the convolutions of ResNet-50, in the layouts that it likes best; bringing tensors into them is not timed.

#include <algorithm>
#include <functional>
#include <string>
#include <unordered_map>

#include <omp.h>
#include <dnnl.hpp>

#include "convolution_peer.hpp"
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

/// A primitive with its tensors.
struct Call {
  dnnl::primitive primitive;
  dnnl::stream stream;
  std::unordered_map<int, memory> arguments;

  Call(const dnnl::engine& engine, const dnnl::primitive& made, const std::unordered_map<int, memory::desc>& tensors)
      : primitive(made), stream(engine) {
    omp_set_num_threads(recal::thread_count());
    for (const auto& [name, desc] : tensors) arguments.emplace(name, filled(desc, engine));
  }

  void operator()() {
    primitive.execute(stream, arguments);
    stream.wait();
  }
};

[[nodiscard]] Call forward(const bench::Layer& layer) {
  const Problem problem(layer);
  const auto chosen = problem.forward();
  return {problem.engine,
          dnnl::convolution_forward(chosen),
          {{DNNL_ARG_SRC, chosen.src_desc()},
           {DNNL_ARG_WEIGHTS, chosen.weights_desc()},
           {DNNL_ARG_DST, chosen.dst_desc()}}};
}

[[nodiscard]] Call data(const bench::Layer& layer) {
  const Problem problem(layer);
  const auto chosen = problem.data();
  return {problem.engine,
          dnnl::convolution_backward_data(chosen),
          {{DNNL_ARG_DIFF_SRC, chosen.diff_src_desc()},
           {DNNL_ARG_WEIGHTS, chosen.weights_desc()},
           {DNNL_ARG_DIFF_DST, chosen.diff_dst_desc()}}};
}

[[nodiscard]] Call weight(const bench::Layer& layer) {
  const Problem problem(layer);
  const auto chosen = problem.weights();
  return {problem.engine,
          dnnl::convolution_backward_weights(chosen),
          {{DNNL_ARG_SRC, chosen.src_desc()},
           {DNNL_ARG_DIFF_WEIGHTS, chosen.diff_weights_desc()},
           {DNNL_ARG_DIFF_DST, chosen.diff_dst_desc()}}};
}

const bench::Registration convolutions([] {
  const dnnl_version_t& version = *dnnl::version();
  benchmark::AddCustomContext("onednn", std::to_string(version.major) + '.' + std::to_string(version.minor) + '.' +
                                            std::to_string(version.patch));
  bench::convolution_peer = [](const std::string& product, const bench::Layer& layer) -> std::function<void()> {
    if (product == "forward") return forward(layer);
    return product == "data" ? data(layer) : weight(layer);
  };
});

}  // namespace
