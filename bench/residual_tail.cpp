// SPDX-License-Identifier: Apache-2.0
// The end of a residual block: batch norm, module, add, ReLU. "over_none" is the time over that without a module, in
// the same tensors, each taken right after the other.

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

struct Tensors {
  bench::Tensor x, shortcut, dout, out, dshortcut, dx;

  explicit Tensors(const bench::Shape& shape)
      : x(bench::noise(shape)),
        shortcut(bench::noise(shape, 1)),
        dout(bench::noise(shape, 2)),
        out(shape),
        dshortcut(shape),
        dx(shape) {}
};

/// A tail after one forward pass.
template <class Module>
class Tail {
 public:
  explicit Tail(Tensors& tensors) : t_(tensors), norm_(t_.x.shape().c), module_(t_.x.shape().c) { forward(); }

  void forward() {
    if constexpr (recal::nn::has_module<Module>)
      tail().forward(cpu_, std::as_const(t_.x).view(), std::as_const(t_.shortcut).view(), t_.out.view(),
                     recal::Mode::train);
    else
      norm_.forward_add_relu(cpu_, t_.x, t_.shortcut, t_.out, norm_tape_);
  }

  void backward() {
    if constexpr (recal::nn::has_module<Module>)
      tail().backward(cpu_, std::as_const(t_.x).view(), std::as_const(t_.out).view(), std::as_const(t_.dout).view(),
                      t_.dshortcut.view(), t_.dx.view());
    else
      norm_.backward_add_relu(cpu_, t_.x, t_.out, t_.dout, t_.dshortcut, t_.dx, norm_tape_);
  }

 private:
  /// Only instantiated where there is a module.
  auto tail() { return recal::ResidualTail(norm_, module_, norm_tape_, module_tape_, tail_tape_); }

  Tensors& t_;
  recal::Cpu cpu_;
  Norm norm_;
  Module module_;
  Norm::Tape norm_tape_;
  typename Module::Tape module_tape_;
  recal::ResidualTailTape tail_tape_;
};

template <class Module>
void add_tail(const std::string& name) {
  const auto add_pass = [&](const std::string& mode, auto pass) {
    for (const bench::Workload& work : bench::workloads)
      bench::add("tail/" + name + '/' + mode + '/' + work.name, [&work, pass](benchmark::State& state) {
        Tensors tensors(work.shape);
        Tail<recal::nn::NoModule> plain(tensors);
        Tail<Module> tail(tensors);
        if constexpr (recal::nn::has_module<Module>)
          state.counters["over_none"] = bench::repeat_beside(
              state, [&] { pass(tail); }, [&] { pass(plain); });
        else
          bench::repeat(state, [&] { pass(tail); });
      });
  };
  add_pass("forward", [](auto& tail) { tail.forward(); });
  add_pass("backward", [](auto& tail) { tail.backward(); });
}

const bench::Registration tails([] {
  add_tail<recal::nn::NoModule>("none");
  add_tail<recal::Srm<>>("srm");
  add_tail<recal::Se<>>("se");
  add_tail<recal::GeThetaMinus<>>("ge");
});

}  // namespace
