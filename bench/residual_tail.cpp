// SPDX-License-Identifier: Apache-2.0
// The end of a residual block: batch norm, module, add, ReLU. The yardstick is tail/none, which has no module.

#include <string>
#include <utility>

#include <recal/backend/cpu/backend.hpp>
#include <recal/fused/residual_tail.hpp>
#include <recal/ge.hpp>
#include <recal/nn/batch_norm.hpp>
#include <recal/nn/no_module.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

using Norm = recal::nn::BatchNorm2d<float>;

/// The tensors of a tail, after one forward pass.
template <class Module>
class Run {
 public:
  explicit Run(const bench::Shape& shape)
      : norm_(shape.c),
        module_(shape.c),
        x_(bench::noise(shape)),
        shortcut_(bench::noise(shape, 1)),
        dout_(bench::noise(shape, 2)),
        out_(shape),
        dshortcut_(shape),
        dx_(shape) {
    forward();
  }

  void forward() {
    if constexpr (recal::nn::has_module<Module>)
      tail().forward(cpu_, std::as_const(x_).view(), std::as_const(shortcut_).view(), out_.view(), recal::Mode::train);
    else
      norm_.forward_add_relu(cpu_, x_, shortcut_, out_, norm_tape_);
  }

  void backward() {
    if constexpr (recal::nn::has_module<Module>)
      tail().backward(cpu_, std::as_const(x_).view(), std::as_const(out_).view(), std::as_const(dout_).view(),
                      dshortcut_.view(), dx_.view());
    else
      norm_.backward_add_relu(cpu_, x_, out_, dout_, dshortcut_, dx_, norm_tape_);
  }

 private:
  /// Only instantiated where there is a module.
  auto tail() { return recal::ResidualTail(norm_, module_, norm_tape_, module_tape_, tail_tape_); }

  recal::Cpu cpu_;
  Norm norm_;
  Module module_;
  Norm::Tape norm_tape_;
  typename Module::Tape module_tape_;
  recal::ResidualTailTape tail_tape_;
  bench::Tensor x_, shortcut_, dout_, out_, dshortcut_, dx_;
};

template <class Module>
void add_tail(const std::string& name) {
  using Own = Run<Module>;
  for (const auto& [mode, call] : {std::pair{"forward", &Own::forward}, std::pair{"backward", &Own::backward}})
    for (const bench::Workload& work : bench::workloads)
      bench::add("tail/" + name + '/' + mode + '/' + work.name, [&work, call = call](benchmark::State& state) {
        Own run(work.shape);
        bench::repeat(state, [&] { (run.*call)(); });
      });
}

const bench::Registration tails([] {
  add_tail<recal::nn::NoModule>("none");
  add_tail<recal::Srm<>>("srm");
  add_tail<recal::Se<>>("se");
  add_tail<recal::GeThetaMinus<>>("ge");
});

}  // namespace
