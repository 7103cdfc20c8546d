// SPDX-License-Identifier: Apache-2.0
// Whole modules. The yardstick of infer and forward is yardstick/copy, that of backward yardstick/triad.

#include <string>
#include <utility>

#include <recal/recal.hpp>

#include "harness.hpp"
#include "workloads.hpp"

namespace {

using bench::Shape;

/// A module with its tensors, after one forward pass.
template <class Module>
class Run {
 public:
  Run(Module module, const Shape& shape)
      : module_(std::move(module)), x_(bench::noise(shape)), dy_(bench::noise(shape, 1)), y_(shape), dx_(shape) {
    forward();
  }

  void infer() { module_.infer(x_, y_); }
  void forward() { module_.forward(x_, y_, tape_); }
  void backward() { module_.backward(x_, dy_, dx_, tape_); }
  void forward_backward() {
    forward();
    backward();
  }

 private:
  Module module_;
  typename Module::Tape tape_;
  bench::Tensor x_, dy_, y_, dx_;
};

template <class Make>
void add_module(const std::string& name, Make make) {
  using Own = Run<decltype(make(Shape{}))>;
  for (const auto& [mode, call] :
       {std::pair{"infer", &Own::infer}, std::pair{"forward", &Own::forward}, std::pair{"backward", &Own::backward},
        std::pair{"forward_backward", &Own::forward_backward}})
    for (const bench::Workload& work : bench::workloads)
      bench::add("module/" + name + '/' + mode + '/' + work.name, [&work, make, call = call](benchmark::State& state) {
        Own run(make(work.shape), work.shape);
        bench::repeat(state, [&] { (run.*call)(); });
      });
}

const bench::Registration modules([] {
  add_module("srm", [](const Shape& shape) { return recal::Srm<>(shape.c); });
  add_module("se", [](const Shape& shape) { return recal::Se<>(shape.c); });
  add_module("ge", [](const Shape& shape) { return recal::GeThetaMinus<>(shape.c); });
  add_module("ge_theta", [](const Shape& shape) {
    return recal::GeTheta<>(shape.c, {.extent = 0, .height = shape.h, .width = shape.w});
  });
  add_module("eca", [](const Shape& shape) { return recal::Eca<>(shape.c); });
  add_module("gct", [](const Shape& shape) { return recal::Gct<>(shape.c); });
});

}  // namespace
