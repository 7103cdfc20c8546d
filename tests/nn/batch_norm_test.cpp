// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/nn/batch_norm.hpp>

#include "tests/support/fill.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/started.hpp"

namespace {

using recal::Index;
using recal::Shape;
using recal::Tensor;
using recal::nn::Activation;
using recal::nn::BatchNorm2d;
using recal::testing::Golden;
using recal::testing::random_tensor;
using recal::testing::relative_error;

template <class T>
inline constexpr double output_bound = std::is_same_v<T, double> ? 1e-9 : 2e-6;
template <class T>
inline constexpr double gradient_bound = std::is_same_v<T, double> ? 1e-9 : 2e-5;

template <class T>
BatchNorm2d<T> some_layer(Index channels) {
  BatchNorm2d<T> bn(channels);
  recal::testing::fill("weight", -1.5, 1.5, bn.weight.value.data(), channels);
  recal::testing::fill("bias", -0.5, 0.5, bn.bias.value.data(), channels);
  recal::testing::fill("mean", -0.5, 0.5, bn.running_mean.value.data(), channels);
  recal::testing::fill("var", 0.5, 1.5, bn.running_var.value.data(), channels);
  return bn;
}

template <class T, class Backend>
void check_golden(const Backend& backend, const char* name) {
  const Golden g(name);
  const auto x = g.template tensor<T>("x");
  BatchNorm2d<T> bn(x.shape().c);
  recal::testing::load_parameters(bn, g);
  const bool train = g.meta("mode") == "train";
  Tensor<T> y(x.shape());
  typename BatchNorm2d<T>::Tape tape;
  if (train) {
    bn.forward(backend, x, y, tape);
  } else {
    Tensor<T> inferred(x.shape());
    bn.infer(backend, x, inferred);
    recal::testing::check_tensor(inferred, g, "y", output_bound<T>);
    bn.forward_frozen(backend, x, y, tape);
  }
  recal::testing::check_tensor(y, g, "y", output_bound<T>);
  recal::testing::check_states(bn, g, output_bound<T>);
  CHECK(bn.num_batches_tracked.value[0] == (train ? 1 : 0));
  Tensor<T> gradient = g.template tensor<T>("dy");
  bn.backward(backend, x, gradient, gradient, tape);
  recal::testing::check_tensor(gradient, g, "dx", gradient_bound<T>);
  recal::testing::check_gradients(bn, g, gradient_bound<T>);
}

TEST_CASE("batch norm equals PyTorch's in training and in evaluation, on both backends") {
  for (const char* name : {"bn_train", "bn_eval"}) {
    check_golden<double>(recal::Cpu{}, name);
    check_golden<float>(recal::Cpu{}, name);
    check_golden<double>(recal::Reference{}, name);
    check_golden<float>(recal::Reference{}, name);
  }
}

/// relu(bn(x) + shortcut) in one pass against the same in three.
template <class T, class Backend>
void check_fused(const Backend& backend, const Shape& shape, bool frozen) {
  const auto x = random_tensor<T>("x", shape);
  const auto shortcut = random_tensor<T>("shortcut", shape);
  const auto dy = random_tensor<T>("dy", shape);
  auto plain = some_layer<T>(shape.c);
  auto fused = plain;
  typename BatchNorm2d<T>::Tape plain_tape;
  typename BatchNorm2d<T>::Tape fused_tape;
  for (const bool add : {false, true}) {
    Tensor<T> expected(shape);
    Tensor<T> y(shape);
    Tensor<T> inferred(shape);
    if (frozen) {
      plain.forward_frozen(backend, x, expected, plain_tape);
      add ? fused.forward_frozen_add_relu(backend, x, shortcut, y, fused_tape)
          : fused.forward_frozen(backend, x, y, fused_tape, Activation::relu);
      add ? fused.infer_add_relu(backend, x, shortcut, inferred) : fused.infer(backend, x, inferred, Activation::relu);
      CHECK(relative_error(y, inferred) == 0.0);
    } else {
      plain.forward(backend, x, expected, plain_tape);
      add ? fused.forward_add_relu(backend, x, shortcut, y, fused_tape)
          : fused.forward(backend, x, y, fused_tape, Activation::relu);
    }
    Tensor<T> masked(shape);
    Index open = 0;
    for (Index i = 0; i < shape.size(); ++i) {
      const T sum = expected.data()[i] + (add ? shortcut.data()[i] : T{});
      expected.data()[i] = sum > T{} ? sum : T{};
      masked.data()[i] = y.data()[i] > T{} ? dy.data()[i] : T{};
      open += y.data()[i] > T{} ? 1 : 0;
    }
    REQUIRE(open > 0);
    REQUIRE(open < shape.size());
    CHECK(relative_error(y, expected) <= output_bound<T>);

    Tensor<T> expected_dx(shape);
    Tensor<T> dx(shape);
    Tensor<T> dr = dy;
    plain.backward(backend, x, masked, expected_dx, plain_tape);
    if (add)
      fused.backward_add_relu(backend, x, y, dr, dr, dx, fused_tape);
    else
      fused.backward_relu(backend, x, y, dy, dx, fused_tape);
    CHECK(relative_error(dx, expected_dx) <= output_bound<T>);
    if (add) CHECK(relative_error(dr, masked) == 0.0);
    CHECK(relative_error(fused.weight.grad, plain.weight.grad) <= gradient_bound<T>);
    CHECK(relative_error(fused.bias.grad, plain.bias.grad) <= gradient_bound<T>);
  }
}

TEST_CASE("batch norm with add and ReLU in the same pass equals the separate steps") {
  for (const bool frozen : {false, true}) {
    check_fused<float>(recal::Cpu{}, {3, 5, 7, 7}, frozen);
    check_fused<double>(recal::Cpu{}, {2, 3, 1, 1}, frozen);
    check_fused<double>(recal::Reference{}, {2, 4, 5, 9}, frozen);
  }
}

/// Statistics alone, the map as a start, and backward without the output, against forward and backward_relu.
template <class T, class Backend>
void check_unwritten(const Backend& backend, const Shape& shape, bool frozen) {
  const auto x = random_tensor<T>("x", shape);
  const auto dy = random_tensor<T>("dy", shape);
  auto written = some_layer<T>(shape.c);
  auto unwritten = written;
  typename BatchNorm2d<T>::Tape written_tape;
  typename BatchNorm2d<T>::Tape unwritten_tape;
  Tensor<T> expected(shape);
  if (frozen) {
    written.forward_frozen(backend, x, expected, written_tape, Activation::relu);
    unwritten.forward_frozen_statistics(unwritten_tape);
  } else {
    written.forward(backend, x, expected, written_tape, Activation::relu);
    unwritten.forward_statistics(backend, x, unwritten_tape);
  }
  CHECK(unwritten.running_mean.value == written.running_mean.value);
  CHECK(unwritten.running_var.value == written.running_var.value);
  CHECK(unwritten.num_batches_tracked.value == written.num_batches_tracked.value);
  const Tensor<T> y = recal::testing::started(typename Backend::Team{}, x, unwritten.relu_start(unwritten_tape));
  CHECK(relative_error(y, expected) <= (std::is_same_v<Backend, recal::Cpu> ? 0.0 : output_bound<T>));

  Tensor<T> expected_dx(shape);
  Tensor<T> dx = dy;
  written.backward_relu(backend, x, expected, dy, expected_dx, written_tape);
  unwritten.backward_relu(backend, x, dx, dx, unwritten_tape);
  CHECK(relative_error(dx, expected_dx) == 0.0);
  CHECK(unwritten.weight.grad == written.weight.grad);
  CHECK(unwritten.bias.grad == written.bias.grad);
}

TEST_CASE("batch norm whose output is never written has the same statistics, values and gradients") {
  for (const bool frozen : {false, true}) {
    check_unwritten<float>(recal::Cpu{}, {3, 5, 7, 7}, frozen);
    check_unwritten<float>(recal::Cpu{}, {2, 70, 3, 3}, frozen);
    check_unwritten<double>(recal::Cpu{}, {2, 3, 1, 1}, frozen);
    check_unwritten<double>(recal::Reference{}, {2, 4, 5, 9}, frozen);
  }
}

TEST_CASE("batch norm's gradients agree with central differences") {
  const Shape shape{3, 2, 3, 2};
  auto bn = some_layer<double>(2);
  Tensor<double> x = random_tensor<double>("x", shape);
  const auto dy = random_tensor<double>("dy", shape);
  BatchNorm2d<double>::Tape tape;
  Tensor<double> y(shape);
  const auto loss = [&] {
    bn.forward(recal::Cpu{}, x, y, tape, Activation::relu);
    double sum = 0.0;
    for (Index i = 0; i < shape.size(); ++i) sum += y.data()[i] * dy.data()[i];
    return sum;
  };
  loss();
  Tensor<double> dx(shape);
  bn.backward_relu(recal::Cpu{}, x, y, dy, dx, tape);
  const auto check_slope = [&loss](double& variable, double gradient) {
    const double kept = variable;
    const double h = 1e-6;
    variable = kept + h;
    const double above = loss();
    variable = kept - h;
    const double below = loss();
    variable = kept;
    CHECK(std::abs((above - below) / (2 * h) - gradient) <= 1e-7);
  };
  for (Index i = 0; i < shape.size(); ++i) check_slope(x.data()[i], dx.data()[i]);
  for (std::size_t c = 0; c < 2; ++c) {
    check_slope(bn.weight.value[c], bn.weight.grad[c]);
    check_slope(bn.bias.value[c], bn.bias.grad[c]);
  }
}

TEST_CASE("a large offset costs no digits of batch norm in float") {
  const Shape shape{4, 1, 28, 28};
  Tensor<float> x(shape);
  Tensor<double> exact(shape);
  for (Index i = 0; i < shape.size(); ++i) {
    x.data()[i] = static_cast<float>(1e4 + 0.1 * std::sin(static_cast<double>(i)));
    exact.data()[i] = static_cast<double>(x.data()[i]);
  }
  Tensor<float> y(shape);
  Tensor<double> expected(shape);
  BatchNorm2d<float> bn(1);
  BatchNorm2d<double> oracle(1);
  BatchNorm2d<float>::Tape tape;
  BatchNorm2d<double>::Tape oracle_tape;
  bn.forward(recal::Cpu{}, x, y, tape);
  oracle.forward(recal::Reference{}, exact, expected, oracle_tape);
  CHECK(relative_error(y, expected) <= 2e-6);
}

TEST_CASE("batch norm's gradient may take the place of the output of the add and ReLU after it") {
  const Shape shape{3, 5, 7, 9};
  const auto x = random_tensor<float>("x", shape);
  const auto shortcut = random_tensor<float>("shortcut", shape);
  const auto dy = random_tensor<float>("dy", shape);
  auto apart = some_layer<float>(5);
  BatchNorm2d<float>::Tape tape;
  Tensor<float> y(shape);
  apart.forward_add_relu(recal::Cpu{}, x, shortcut, y, tape);
  auto in_place = apart;
  Tensor<float> dx(shape);
  Tensor<float> dshortcut(shape);
  apart.backward_add_relu(recal::Cpu{}, x, y, dy, dshortcut, dx, tape);
  Tensor<float> masked = dy;
  in_place.backward_add_relu(recal::Cpu{}, x, y, masked, masked, y, tape);
  CHECK(relative_error(y, dx) == 0.0);
  CHECK(relative_error(masked, dshortcut) == 0.0);
  CHECK(in_place.weight.grad == apart.weight.grad);
  CHECK(in_place.bias.grad == apart.bias.grad);
}

TEST_CASE("batch norm is bit-identical for any number of threads and follows strides") {
  const Shape shape{4, 6, 40, 40};
  const auto x = random_tensor<float>("x", shape);
  const auto dy = random_tensor<float>("dy", shape);
  Tensor<float> first_y;
  Tensor<float> first_dx;
  const int before = recal::thread_count();
  for (const int threads : {1, 2, 3}) {
    recal::set_thread_count(threads);
    auto bn = some_layer<float>(6);
    BatchNorm2d<float>::Tape tape;
    Tensor<float> y(shape);
    Tensor<float> dx(shape);
    bn.forward(recal::Cpu{}, x, y, tape, Activation::relu);
    bn.backward_relu(recal::Cpu{}, x, y, dy, dx, tape);
    if (threads == 1) {
      first_y = y;
      first_dx = dx;
    }
    CHECK(relative_error(y, first_y) == 0.0);
    CHECK(relative_error(dx, first_dx) == 0.0);
  }
  recal::set_thread_count(before);

  const auto whole = some_layer<float>(6);
  BatchNorm2d<float> part(2);
  std::copy_n(whole.weight.value.begin() + 3, 2, part.weight.value.begin());
  std::copy_n(whole.bias.value.begin() + 3, 2, part.bias.value.begin());
  Tensor<float> inside = x;
  const recal::TensorView<float> slice(inside.view().plane(0, 3), {4, 2, 40, 40}, inside.view().stride_n,
                                       inside.view().stride_c);
  BatchNorm2d<float>::Tape tape;
  part.forward(recal::Cpu{}, slice, slice, tape, Activation::relu);
  const recal::TensorView<float> expected(first_y.view().plane(0, 3), slice.shape, slice.stride_n, slice.stride_c);
  CHECK(relative_error(slice, expected) == 0.0);
  CHECK(inside(0, 2, 0, 0) == x(0, 2, 0, 0));
  CHECK(inside(3, 5, 39, 39) == x(3, 5, 39, 39));
}

TEST_CASE("batch norm names both sides of a mismatch and writes nothing") {
  BatchNorm2d<float> bn(3);
  BatchNorm2d<float>::Tape tape;
  Tensor<float> three({2, 3, 4, 4}, 1.0F);
  Tensor<float> four({2, 4, 4, 4}, 1.0F);
  Tensor<float> single({1, 3, 1, 1}, 1.0F);
  CHECK_THROWS_WITH_AS(bn.forward(recal::Cpu{}, four, four, tape),
                       "recal: batch norm of 3 channels was given (N=2, C=4, H=4, W=4)", recal::error);
  CHECK_THROWS_AS(bn.infer(recal::Cpu{}, three, four), recal::error);
  CHECK_THROWS_AS(bn.infer_add_relu(recal::Cpu{}, three, four, three), recal::error);
  CHECK_THROWS_WITH_AS(bn.forward(recal::Cpu{}, single, single, tape),
                       "recal: training batch norm needs more than one value per channel, found one in (N=1, C=3, "
                       "H=1, W=1)",
                       recal::error);
  CHECK_THROWS_AS(bn.backward(recal::Cpu{}, three, three, three, tape), recal::error);
  CHECK_THROWS_AS(bn.forward_statistics(recal::Cpu{}, four, tape), recal::error);
  CHECK_THROWS_AS(bn.forward_statistics(recal::Cpu{}, single, tape), recal::error);
  BatchNorm2d<float>::Tape fresh;
  CHECK_THROWS_WITH_AS((void)bn.relu_start(fresh),
                       "recal: batch norm's tape holds 0 channels, the layer has 3; forward comes before backward",
                       recal::error);
  CHECK(single(0, 0, 0, 0) == 1.0F);
  CHECK(bn.num_batches_tracked.value[0] == 0);
  CHECK(bn.running_mean.value[0] == 0.0F);
  bn.infer(recal::Cpu{}, single, single);
  CHECK(single(0, 0, 0, 0) == doctest::Approx(1.0));
}

TEST_CASE("an empty batch passes through batch norm and leaves its statistics") {
  BatchNorm2d<float> bn(3);
  BatchNorm2d<float>::Tape tape;
  Tensor<float> none(Shape{0, 3, 4, 4});
  bn.forward(recal::Cpu{}, none, none, tape);
  bn.backward(recal::Cpu{}, none, none, none, tape);
  CHECK(bn.running_var.value[0] == 1.0F);
  CHECK(bn.weight.grad[0] == 0.0F);
}

}  // namespace
