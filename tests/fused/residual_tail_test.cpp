// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <doctest/doctest.h>

#include <recal/backend/reference/backend.hpp>
#include <recal/core/parallel.hpp>
#include <recal/eca.hpp>
#include <recal/fused/residual_tail.hpp>
#include <recal/gct.hpp>
#include <recal/ge.hpp>
#include <recal/grn.hpp>
#include <recal/nn/batch_norm.hpp>
#include <recal/nn/relu.hpp>
#include <recal/pool/max.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/noise_tensor.hpp"

namespace {

using namespace recal;
using recal::testing::noise;
using recal::testing::relative_error;
using recal::testing::stir_parameters;

template <class T>
inline constexpr double value_bound = std::is_same_v<T, double> ? 1e-10 : 1e-5;
template <class T>
inline constexpr double gradient_bound = std::is_same_v<T, double> ? 1e-10 : 1e-4;

/// SE with max pooling: its style needs the extremes.
template <class T>
Recalibrate<Max, Mlp<T>, Sigmoid> max_se(Index channels) {
  return {channels, Max{}, Mlp<T>(channels, 3)};
}

template <class T>
nn::BatchNorm2d<T> some_norm(Index channels) {
  nn::BatchNorm2d<T> norm(channels);
  stir_parameters(norm, 3, 1.5);  // weights of both signs
  for (Index c = 0; c < channels; ++c) {
    at(norm.running_mean.value, c) = static_cast<T>(0.1 * static_cast<double>(c % 3));
    at(norm.running_var.value, c) = static_cast<T>(0.5 + 0.25 * static_cast<double>(c % 4));
  }
  return norm;
}

/// Everything that one forward and backward pass through the end of a block leaves behind.
template <class T, class Module>
struct Run {
  nn::BatchNorm2d<T> norm;
  Module module;
  typename nn::BatchNorm2d<T>::Tape norm_tape{};
  typename Module::Tape module_tape{};
  ResidualTailTape tail{};
  Tensor<T> out{};
  Tensor<T> dshortcut{};
  Tensor<T> dx{};

  template <class B>
  void fused(const B& backend, const Tensor<T>& x, const Tensor<T>& shortcut, const Tensor<T>& dout, Mode mode) {
    make_room(x.shape());
    ResidualTail view(norm, module, norm_tape, module_tape, tail);
    view.forward(backend, x.view(), shortcut.view(), out.view(), mode);
    view.backward(backend, x.view(), std::as_const(out).view(), dout.view(), dshortcut.view(), dx.view());
  }

  template <class B>
  void step_by_step(const B& backend, const Tensor<T>& x, const Tensor<T>& shortcut, const Tensor<T>& dout, Mode mode) {
    make_room(x.shape());
    Tensor<T> y(x.shape());
    if (mode == Mode::train) {
      norm.forward(backend, x, y, norm_tape);
      module.forward(backend, y, out, module_tape);
    } else {
      norm.forward_frozen(backend, x, y, norm_tape);
      module.forward_frozen(backend, y, out, module_tape);
    }
    nn::add_relu(backend, out, shortcut, out);
    nn::relu_backward(backend, out, dout, dshortcut);
    module.backward(backend, y, dshortcut, dx, module_tape);
    norm.backward(backend, x, dx, dx, norm_tape);
  }

  void make_room(const Shape& shape) {
    for (Tensor<T>* tensor : {&out, &dshortcut, &dx}) tensor->resize(shape);
  }
};

template <class T, class Layer>
void check_layer(Layer& layer, Layer& expected) {
  std::vector<Buffer<T>> gradients;
  for_each_parameter(expected, [&](auto& parameter) { gradients.push_back(parameter.grad); });
  std::size_t next = 0;
  for_each_parameter(layer, [&](auto& parameter) {
    INFO(parameter.name);
    CHECK(relative_error(parameter.grad, gradients[next++]) <= gradient_bound<T>);
  });
  const auto as_doubles = [](const auto& values) {
    Buffer<double> doubles;
    for (const auto value : values) doubles.push_back(static_cast<double>(value));
    return doubles;
  };
  std::vector<Buffer<double>> states;
  for_each_state(expected, [&](auto& state) { states.push_back(as_doubles(state.value)); });
  next = 0;
  for_each_state(layer, [&](auto& state) {
    INFO(state.name);
    CHECK(relative_error(as_doubles(state.value), states[next++]) <= value_bound<T>);
  });
}

template <class T, class B, class Module>
void check_equal(const B& backend, const Module& module, const Shape& shape) {
  CAPTURE(shape);
  const auto x = noise<T>(shape, 1, 2.0, 0.3);
  const auto shortcut = noise<T>(shape, 2);
  const auto dout = noise<T>(shape, 4);
  for (const Mode mode : {Mode::train, Mode::frozen}) {
    Run<T, Module> fused{some_norm<T>(shape.c), module};
    stir_parameters(fused.module, 5, 0.5);
    Run<T, Module> plain = fused;
    fused.fused(backend, x, shortcut, dout, mode);
    plain.step_by_step(backend, x, shortcut, dout, mode);
    CHECK(relative_error(fused.out, plain.out) <= value_bound<T>);
    CHECK(relative_error(fused.dshortcut, plain.dshortcut) <= gradient_bound<T>);
    CHECK(relative_error(fused.dx, plain.dx) <= gradient_bound<T>);
    check_layer<T>(fused.norm, plain.norm);
    check_layer<T>(fused.module, plain.module);
  }
}

template <class T, class Module>
void check_module(const Module& module) {
  const Index c = module.channels();
  check_equal<T>(Cpu{}, module, {3, c, 7, 7});
  check_equal<T>(Cpu{}, module, {4, c, 2, 3});
  check_equal<T>(Reference{}, module, {3, c, 4, 5});
}

TEST_CASE_TEMPLATE("the residual tail equals its steps, values, gradients and states", T, float, double) {
  check_module<T>(Srm<T>(9));
  check_module<T>(Se<T>(9));
  check_module<T>(GeThetaMinus<T>(9));
  check_module<T>(Eca<T>(9));
  check_module<T>(Gct<T>(9));
  check_module<T>(Grn<T>(9));
  check_module<T>(max_se<T>(9));
}

TEST_CASE("the residual tail on many channels, in blocks of them") {
  check_equal<double>(Cpu{}, Srm<double>(200), {2, 200, 3, 3});
  check_equal<double>(Cpu{}, Se<double>(200), {2, 200, 3, 3});
}

TEST_CASE("the residual tail on planes of one pixel") {
  check_equal<double>(Cpu{}, Srm<double>(3), {5, 3, 1, 1});
  check_equal<double>(Cpu{}, max_se<double>(3), {5, 3, 1, 1});
}

TEST_CASE("a block that begins as its shortcut: the norm's weight is 0") {
  const Shape shape{3, 5, 4, 4};
  Run<double, Srm<double>> run{nn::BatchNorm2d<double>(5), Srm<double>(5)};
  run.norm.weight.value.assign(5, 0.0);
  stir_parameters(run.module, 5);
  auto plain = run;
  const auto x = noise<double>(shape, 1);
  const auto shortcut = noise<double>(shape, 2);
  const auto dout = noise<double>(shape, 3);
  run.fused(Cpu{}, x, shortcut, dout, Mode::train);
  plain.step_by_step(Cpu{}, x, shortcut, dout, Mode::train);
  for (Index i = 0; i < shape.size(); ++i) REQUIRE(run.out.data()[i] == std::max(0.0, shortcut.data()[i]));
  check_layer<double>(run.norm, plain.norm);
}

TEST_CASE("the gradient of the shortcut may take the place of the output's") {
  const Shape shape{2, 4, 3, 3};
  Run<float, Srm<float>> apart{some_norm<float>(4), Srm<float>(4)};
  auto together = apart;
  const auto x = noise<float>(shape, 1);
  const auto shortcut = noise<float>(shape, 2);
  auto dout = noise<float>(shape, 3);
  apart.fused(Cpu{}, x, shortcut, dout, Mode::train);
  together.make_room(shape);
  ResidualTail view(together.norm, together.module, together.norm_tape, together.module_tape, together.tail);
  view.forward(Cpu{}, x.view(), shortcut.view(), together.out.view(), Mode::train);
  view.backward(Cpu{}, x.view(), std::as_const(together.out).view(), std::as_const(dout).view(), dout.view(),
                together.dx.view());
  CHECK(relative_error(dout, apart.dshortcut) == 0.0);
  CHECK(relative_error(together.dx, apart.dx) == 0.0);
}

TEST_CASE("the gradient of the input may take the place of the output") {
  const Shape shape{3, 10, 5, 5};
  const auto in_place = [&](const auto& module) {
    using Module = std::remove_cvref_t<decltype(module)>;
    Run<float, Module> apart{some_norm<float>(10), module};
    stir_parameters(apart.module, 10);
    auto together = apart;
    const auto x = noise<float>(shape, 1);
    const auto shortcut = noise<float>(shape, 2);
    const auto dout = noise<float>(shape, 3);
    apart.fused(Cpu{}, x, shortcut, dout, Mode::train);
    together.make_room(shape);
    ResidualTail view(together.norm, together.module, together.norm_tape, together.module_tape, together.tail);
    view.forward(Cpu{}, x.view(), shortcut.view(), together.out.view(), Mode::train);
    view.backward(Cpu{}, x.view(), std::as_const(together.out).view(), dout.view(), together.dshortcut.view(),
                  together.out.view());
    CHECK(relative_error(together.dshortcut, apart.dshortcut) == 0.0);
    CHECK(relative_error(together.out, apart.dx) == 0.0);
  };
  in_place(Srm<float>(10));
  in_place(Se<float>(10));
  in_place(max_se<float>(10));
}

TEST_CASE("the residual tail is the same bit for bit with any number of threads") {
  const Shape shape{4, 70, 9, 9};
  const int before = thread_count();
  const auto once = [&]<class Module>(int threads, Module module) {
    set_thread_count(threads);
    Run<float, Module> run{some_norm<float>(shape.c), std::move(module)};
    run.fused(Cpu{}, noise<float>(shape, 1), noise<float>(shape, 2), noise<float>(shape, 3), Mode::train);
    return run;
  };
  const auto compare = [&](const auto& module) {
    const auto one = once(1, module);
    const auto three = once(3, module);
    CHECK(relative_error(one.out, three.out) == 0.0);
    CHECK(relative_error(one.dx, three.dx) == 0.0);
    CHECK(one.norm.weight.grad == three.norm.weight.grad);
  };
  compare(Srm<float>(70));
  compare(Se<float>(70));
  set_thread_count(before);
}

TEST_CASE("at inference the tail is the module, the add and the ReLU in one") {
  const auto check = [](const auto& given, const Shape& shape) {
    auto module = given;
    stir_parameters(module, 5);
    const auto x = noise<float>(shape, 1);
    const auto shortcut = noise<float>(shape, 2);
    Tensor<float> expected(shape);
    Tensor<float> out = x;
    module.infer(Cpu{}, x, expected);
    nn::add_relu(Cpu{}, expected, shortcut, expected);
    infer_tail(Cpu{}, module, x.view(), shortcut.view(), out.view());
    CHECK(relative_error(out, expected) <= 1e-6);
    infer_tail(Cpu{}, module, std::as_const(x).view(), shortcut.view(), out.view());
    CHECK(relative_error(out, expected) <= 1e-6);
  };
  check(Srm<float>(6), {2, 6, 7, 7});
  check(Se<float>(16), {1, 16, 5, 3});
  check(GeThetaMinus<float>(6), {2, 6, 4, 4});
  check(max_se<float>(6), {2, 6, 4, 4});
}

TEST_CASE("an empty batch leaves parameters and states as they are") {
  Run<float, Srm<float>> run{some_norm<float>(4), Srm<float>(4)};
  const Tensor<float> none(Shape{0, 4, 3, 3});
  run.fused(Cpu{}, none, none, none, Mode::train);
  CHECK(run.norm.num_batches_tracked.value[0] == 0);
  for (const float g : run.norm.weight.grad) CHECK(g == 0.0F);
}

TEST_CASE("what the residual tail refuses") {
  Run<float, Srm<float>> run{some_norm<float>(4), Srm<float>(4)};
  run.make_room({1, 4, 3, 3});
  ResidualTail view(run.norm, run.module, run.norm_tape, run.module_tape, run.tail);
  const auto x = noise<float>({1, 4, 3, 3}, 1);
  const auto other = noise<float>({1, 4, 3, 2}, 1);
  const auto before = run.norm.running_mean.value;
  CHECK_THROWS_AS(view.forward(Cpu{}, x.view(), x.view(), run.out.view(), Mode::train), recal::error);  // N = 1
  CHECK_THROWS_WITH_AS(view.forward(Cpu{}, x.view(), other.view(), run.out.view(), Mode::frozen),
                       "recal: shortcut has shape (N=1, C=4, H=3, W=2), expected (N=1, C=4, H=3, W=3)", recal::error);
  CHECK(run.norm.running_mean.value == before);
  CHECK(run.norm.num_batches_tracked.value[0] == 0);
  view.forward(Cpu{}, x.view(), x.view(), run.out.view(), Mode::frozen);
  CHECK_THROWS_AS(view.backward(Cpu{}, x.view(), x.view(), other.view(), run.dshortcut.view(), run.dx.view()),
                  recal::error);
}

}  // namespace
