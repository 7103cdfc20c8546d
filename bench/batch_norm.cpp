// SPDX-License-Identifier: Apache-2.0
// Batch norm in training, alone and with what follows it in the same pass.

#include <string>
#include <utility>

#include <recal/backend/cpu/backend.hpp>
#include <recal/nn/batch_norm.hpp>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

using recal::nn::Activation;

class Run {
 public:
  explicit Run(const bench::Shape& shape)
      : norm_(shape.c),
        x_(bench::noise(shape)),
        shortcut_(bench::noise(shape, 1)),
        dy_(bench::noise(shape, 2)),
        y_(shape),
        dx_(shape),
        dshortcut_(shape) {
    forward_add_relu();
  }

  void forward() { norm_.forward(cpu_, x_, y_, tape_); }
  void forward_relu() { norm_.forward(cpu_, x_, y_, tape_, Activation::relu); }
  void forward_add_relu() { norm_.forward_add_relu(cpu_, x_, shortcut_, y_, tape_); }
  void backward() { norm_.backward(cpu_, x_, dy_, dx_, tape_); }
  void backward_relu() { norm_.backward_relu(cpu_, x_, dy_, dx_, tape_); }
  void backward_add_relu() { norm_.backward_add_relu(cpu_, x_, y_, dy_, dshortcut_, dx_, tape_); }

 private:
  recal::Cpu cpu_;
  recal::nn::BatchNorm2d<float> norm_;
  recal::nn::BatchNorm2d<float>::Tape tape_;
  bench::Tensor x_, shortcut_, dy_, y_, dx_, dshortcut_;
};

const bench::Registration batch_norms([] {
  for (const auto& [mode, call] :
       {std::pair{"forward", &Run::forward}, std::pair{"forward_relu", &Run::forward_relu},
        std::pair{"forward_add_relu", &Run::forward_add_relu}, std::pair{"backward", &Run::backward},
        std::pair{"backward_relu", &Run::backward_relu}, std::pair{"backward_add_relu", &Run::backward_add_relu}})
    for (const bench::Workload& work : bench::workloads)
      bench::add(std::string("batch_norm/") + mode + '/' + work.name, [&work, call = call](benchmark::State& state) {
        Run run(work.shape);
        bench::repeat(state, [&] { (run.*call)(); });
      });
});

}  // namespace
