// SPDX-License-Identifier: Apache-2.0
// Whole modules. "over_copy" of infer and forward is their time over that of a scaled copy of x to y, "over_triad" of
// backward that over dx = a*dy + b*x, each taken right after the other.

#include <string>
#include <utility>

#include <recal/recal.hpp>

#include "harness.hpp"
#include "workloads.hpp"
#include "yardsticks.hpp"

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

  void infer(benchmark::State& state) {
    beside_copy(state, [&] { module_.infer(x_, y_); });
  }
  void forward(benchmark::State& state) {
    beside_copy(state, [&] { forward(); });
  }
  void backward(benchmark::State& state) {
    state.counters["over_triad"] = bench::repeat_beside(
        state, [&] { backward(); }, [&] { bench::triad(x_, dy_, dx_); });
  }
  void forward_backward(benchmark::State& state) {
    bench::repeat(state, [&] {
      forward();
      backward();
    });
  }

 private:
  void forward() { module_.forward(x_, y_, tape_); }
  void backward() { module_.backward(x_, dy_, dx_, tape_); }

  template <class F>
  void beside_copy(benchmark::State& state, const F& f) {
    state.counters["over_copy"] = bench::repeat_beside(state, f, [&] { bench::scaled_copy(x_, y_); });
  }

  Module module_;
  typename Module::Tape tape_;
  bench::Tensor x_, dy_, y_, dx_;
};

template <class Make>
void add_module(const std::string& name, Make make) {
  using Own = Run<decltype(make(Shape{}))>;
  const auto add_mode = [&](const std::string& mode, void (Own::*call)(benchmark::State&)) {
    for (const bench::Workload& work : bench::workloads)
      bench::add("module/" + name + '/' + mode + '/' + work.name, [&work, make, call](benchmark::State& state) {
        Own run(make(work.shape), work.shape);
        (run.*call)(state);
      });
  };
  add_mode("infer", &Own::infer);
  add_mode("forward", &Own::forward);
  add_mode("backward", &Own::backward);
  add_mode("forward_backward", &Own::forward_backward);
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
