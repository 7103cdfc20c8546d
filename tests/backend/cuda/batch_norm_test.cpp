// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/batch_norm.hpp>

#include <cmath>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>

#include "tests/support/device_orders.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/narrow_tensor.hpp"
#include "tests/support/noise_tensor.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/sized_machine.hpp"

using namespace recal;
using namespace recal::testing;
using nn::Activation;

namespace {

constexpr int machine_sizes[] = {1, SizedMachine::many};

/// What follows the norm.
enum class Follow { nothing, relu, add_relu };

nn::BatchNorm2d<float> some_layer(Index channels) {
  nn::BatchNorm2d<float> norm(channels);
  fill("weight", -1.5, 1.5, norm.weight.value.data(), channels);
  fill("bias", -0.5, 0.5, norm.bias.value.data(), channels);
  fill("mean", -0.5, 0.5, norm.running_mean.value.data(), channels);
  fill("var", 0.5, 1.5, norm.running_var.value.data(), channels);
  norm.num_batches_tracked.value[0] = 7;
  return norm;
}

/// All that one forward and backward pass leaves behind.
template <class T>
struct NormPass {
  Tensor<T> y;
  Tensor<T> dshortcut;
  Tensor<T> dx;
  nn::BatchNorm2d<float> layer;
};

template <class T>
struct NormInputs {
  Tensor<T> x;
  Tensor<T> shortcut;
  Tensor<T> dy;

  explicit NormInputs(const Shape& shape)
      : x(noise<T>(shape, 1, 2.0, 0.3)), shortcut(noise<T>(shape, 2)), dy(noise<T>(shape, 3)) {}
};

template <class T>
NormPass<T> run_on_device(const SizedMachine& machine, const nn::BatchNorm2d<float>& host, const NormInputs<T>& in,
                          Follow follow, bool train) {
  cuda::BatchNorm2d norm(machine, host.channels());
  cuda::copy_parameters_to_device(machine, host, norm);
  const cuda::DeviceTensor<T> x(machine, in.x);
  const cuda::DeviceTensor<T> shortcut(machine, in.shortcut);
  cuda::DeviceTensor<T> dy(machine, in.dy);
  cuda::DeviceTensor<T> y(machine, in.x.shape());
  cuda::DeviceTensor<T> dx(machine, in.x.shape());
  cuda::BatchNorm2d::Tape tape;
  const Activation activation = follow == Follow::nothing ? Activation::none : Activation::relu;
  if (follow == Follow::add_relu)
    train ? norm.forward_add_relu(machine, x, shortcut, y, tape)
          : norm.forward_frozen_add_relu(machine, x, shortcut, y, tape);
  else
    train ? norm.forward(machine, x, y, tape, activation) : norm.forward_frozen(machine, x, y, tape, activation);
  if (follow == Follow::add_relu)
    norm.backward_add_relu(machine, x, y, dy, dy, dx, tape);
  else if (follow == Follow::relu)
    norm.backward_relu(machine, x, y, dy, dx, tape);
  else
    norm.backward(machine, x, dy, dx, tape);
  NormPass<T> pass{y.to_host(machine), dy.to_host(machine), dx.to_host(machine), host};
  cuda::copy_parameters_to_host(machine, norm, pass.layer);
  return pass;
}

NormPass<float> run_on_processor(nn::BatchNorm2d<float> norm, NormInputs<float> in, Follow follow, bool train) {
  Tensor<float> y(in.x.shape());
  Tensor<float> dx(in.x.shape());
  nn::BatchNorm2d<float>::Tape tape;
  const Cpu cpu;
  const Activation activation = follow == Follow::nothing ? Activation::none : Activation::relu;
  if (follow == Follow::add_relu) {
    train ? norm.forward_add_relu(cpu, in.x, in.shortcut, y, tape)
          : norm.forward_frozen_add_relu(cpu, in.x, in.shortcut, y, tape);
    norm.backward_add_relu(cpu, in.x, y, in.dy, in.dy, dx, tape);
  } else {
    train ? norm.forward(cpu, in.x, y, tape, activation) : norm.forward_frozen(cpu, in.x, y, tape, activation);
    follow == Follow::relu ? norm.backward_relu(cpu, in.x, y, in.dy, dx, tape)
                           : norm.backward(cpu, in.x, in.dy, dx, tape);
  }
  return {std::move(y), std::move(in.dy), std::move(dx), std::move(norm)};
}

template <class A, class B>
void check_equal(const NormPass<A>& found, const NormPass<B>& expected, double values, double gradients) {
  CHECK(relative_error(found.y, expected.y) <= values);
  CHECK(relative_error(found.dshortcut, expected.dshortcut) <= values);
  CHECK(relative_error(found.dx, expected.dx) <= gradients);
  CHECK(relative_error(found.layer.weight.grad, expected.layer.weight.grad) <= gradients);
  CHECK(relative_error(found.layer.bias.grad, expected.layer.bias.grad) <= gradients);
  CHECK(relative_error(found.layer.running_mean.value, expected.layer.running_mean.value) <= values);
  CHECK(relative_error(found.layer.running_var.value, expected.layer.running_var.value) <= values);
  CHECK(found.layer.num_batches_tracked.value == expected.layer.num_batches_tracked.value);
}

template <class T>
bool same(const NormPass<T>& a, const NormPass<T>& b) {
  return same_bits(a.y, b.y) && same_bits(a.dshortcut, b.dshortcut) && same_bits(a.dx, b.dx) &&
         a.layer.weight.grad == b.layer.weight.grad && a.layer.bias.grad == b.layer.bias.grad &&
         a.layer.running_mean.value == b.layer.running_mean.value &&
         a.layer.running_var.value == b.layer.running_var.value;
}

/// f(follow, train) for every combination.
template <class F>
void for_each_mode(const F& f) {
  for (const Follow follow : {Follow::nothing, Follow::relu, Follow::add_relu})
    for (const bool train : {true, false}) {
      CAPTURE(static_cast<int>(follow));
      CAPTURE(train);
      f(follow, train);
    }
}

}  // namespace

TEST_CASE("batch norm on the host run agrees with the reference vectors") {
  for (const char* name : {"bn_train", "bn_eval"})
    for (const int size : machine_sizes) {
      const Golden g(name);
      const SizedMachine machine(size, Schedule::random(5));
      const bool train = g.meta("mode") == "train";
      const cuda::DeviceTensor<float> x(machine, g.tensor<float>("x"));
      cuda::DeviceTensor<float> y(machine, x.shape());
      cuda::DeviceTensor<float> gradient(machine, g.tensor<float>("dy"));
      nn::BatchNorm2d<float> host(x.shape().c);
      load_parameters(host, g);
      cuda::BatchNorm2d norm(machine, x.shape().c);
      cuda::copy_parameters_to_device(machine, host, norm);
      cuda::BatchNorm2d::Tape tape;
      if (train) {
        norm.forward(machine, x, y, tape);
      } else {
        norm.infer(machine, x, y);
        check_tensor(y.to_host(machine), g, "y", 2e-6);
        norm.forward_frozen(machine, x, y, tape);
      }
      norm.backward(machine, x, gradient, gradient, tape);
      cuda::copy_parameters_to_host(machine, norm, host);
      check_tensor(y.to_host(machine), g, "y", 2e-6);
      check_tensor(gradient.to_host(machine), g, "dx", 2e-5);
      check_states(host, g, 2e-6);
      check_gradients(host, g, 2e-5);
      CHECK(host.num_batches_tracked.value[0] == (train ? 1 : 0));
    }
}

TEST_CASE("batch norm on the host run equals the CPU's, with all that may follow it") {
  for (const Shape& shape : {Shape{3, 5, 7, 7}, Shape{4, 3, 14, 14}, Shape{2, 2, 56, 56}, Shape{2, 3, 96, 96},
                             Shape{40, 2, 3, 3}, Shape{2, 1, 9, 9}, Shape{1, 3, 5, 5}, Shape{5, 3, 1, 1}})
    for (const int size : machine_sizes)
      for_each_mode([&](Follow follow, bool train) {
        CAPTURE(to_string(shape));
        CAPTURE(size);
        const SizedMachine machine(size, Schedule::forward(), Checks::off);
        const NormInputs<float> in(shape);
        const auto layer = some_layer(shape.c);
        check_equal(run_on_device(machine, layer, in, follow, train), run_on_processor(layer, in, follow, train), 2e-6,
                    2e-6);
      });
}

TEST_CASE("batch norm is the same to the bit in every order of threads and blocks") {
  for (const Shape& shape : {Shape{3, 3, 7, 7}, Shape{2, 2, 36, 36}, Shape{2, 2, 96, 96}})
    for (const int size : machine_sizes)
      for_each_mode([&](Follow follow, bool train) {
        if (shape.w == 96 && follow != Follow::add_relu) return;
        CAPTURE(to_string(shape));
        CAPTURE(size);
        const NormInputs<float> in(shape);
        std::vector<NormPass<float>> passes;
        for (const Schedule& schedule : every_schedule())
          passes.push_back(run_on_device(SizedMachine(size, schedule), some_layer(shape.c), in, follow, train));
        for (const NormPass<float>& pass : passes) CHECK(same(pass, passes.front()));
      });
}

namespace {

template <class T>
void check_narrow(double half_unit) {
  for (const Shape& shape : {Shape{3, 4, 7, 7}, Shape{2, 3, 16, 16}})
    for (const int size : machine_sizes)
      for_each_mode([&](Follow follow, bool train) {
        const SizedMachine machine(size);
        const NormInputs<T> in(shape);
        NormInputs<float> wide(shape);
        wide.x = widened(in.x);
        wide.shortcut = widened(in.shortcut);
        wide.dy = widened(in.dy);
        const auto layer = some_layer(shape.c);
        const auto found = run_on_device(machine, layer, in, follow, train);
        const auto expected = run_on_device(machine, layer, wide, follow, train);
        const double bound = half_unit + 2e-6;
        check_equal(found, expected, bound, bound);
      });
}

}  // namespace

TEST_CASE("half and bfloat16 are normalised in float: half a unit in the last place from its results") {
  check_narrow<half>(0x1p-11);
  check_narrow<bfloat16>(0x1p-8);
}

TEST_CASE("batch norm at inference, in place and with a strided tensor") {
  const Shape shape{2, 3, 5, 5};
  const auto host = some_layer(3);
  const auto x = noise<float>(shape, 1);
  const auto shortcut = noise<float>(shape, 2);
  Tensor<float> expected(shape);
  for (const int size : machine_sizes) {
    const SizedMachine machine(size);
    cuda::BatchNorm2d norm(machine, 3);
    cuda::copy_parameters_to_device(machine, host, norm);
    StridedDeviceTensor<float> strided(machine, x);
    const cuda::DeviceTensor<float> beside(machine, shortcut);
    norm.infer(machine, strided.view(), strided.view(), Activation::relu);
    host.infer(Cpu{}, x, expected, Activation::relu);
    CHECK(relative_error(strided.to_host(machine), expected) <= 1e-6);

    cuda::DeviceTensor<float> whole(machine, x);
    cuda::BatchNorm2d::Tape workspace;
    norm.infer_add_relu(machine, whole, beside, whole, workspace);
    host.infer_add_relu(Cpu{}, x, shortcut, expected);
    CHECK(relative_error(whole.to_host(machine), expected) <= 1e-6);
    norm.infer_add_relu(machine, StridedDeviceTensor<float>(machine, x).view(), beside, whole);
    CHECK(relative_error(whole.to_host(machine), expected) <= 1e-6);
  }
}

TEST_CASE("batch norm of a strided tensor, forward and backward in place of the gradient") {
  const Shape shape{3, 4, 6, 6};
  auto host = some_layer(4);
  const NormInputs<float> in(shape);
  const auto expected = run_on_processor(host, in, Follow::nothing, true);
  for (const int size : machine_sizes) {
    const SizedMachine machine(size);
    cuda::BatchNorm2d norm(machine, 4);
    cuda::copy_parameters_to_device(machine, host, norm);
    cuda::BatchNorm2d::Tape tape;
    const StridedDeviceTensor<float> x(machine, in.x);
    StridedDeviceTensor<float> y(machine, in.x);
    StridedDeviceTensor<float> dy(machine, in.dy);
    norm.forward(machine, x.view(), y.view(), tape);
    norm.backward(machine, x.view(), dy.view(), dy.view(), tape);
    CHECK(relative_error(y.to_host(machine), expected.y) <= 2e-6);
    CHECK(relative_error(dy.to_host(machine), expected.dx) <= 2e-6);
  }
}

TEST_CASE("one tensor out of alignment is enough for batch norm to go by elements") {
  const Shape shape{2, 3, 6, 6};
  const NormInputs<float> in(shape);
  const auto host = some_layer(3);
  const auto expected = run_on_processor(host, in, Follow::add_relu, true);
  for (const int size : machine_sizes)
    for (const int odd : {0, 1, 2, 3, 4, 5}) {
      CAPTURE(odd);
      const SizedMachine machine(size);
      const Tensor<float> empty(shape, 0.0F);
      const Tensor<float>* from[] = {&in.x, &in.shortcut, &empty, &in.dy, &empty, &empty};
      std::vector<cuda::DeviceTensor<float>> dense;
      for (const Tensor<float>* tensor : from) dense.emplace_back(machine, *tensor);
      const StridedDeviceTensor<float> strided(machine, *from[odd]);
      const auto view = [&](int i) { return i == odd ? strided.view() : dense[static_cast<std::size_t>(i)].view(); };
      cuda::BatchNorm2d norm(machine, 3);
      cuda::copy_parameters_to_device(machine, host, norm);
      cuda::BatchNorm2d::Tape tape;
      norm.forward_add_relu(machine, view(0), view(1), view(2), tape);
      norm.backward_add_relu(machine, view(0), view(2), view(3), view(4), view(5), tape);
      const auto found = [&](int i) {
        return i == odd ? strided.to_host(machine) : dense[static_cast<std::size_t>(i)].to_host(machine);
      };
      CHECK(relative_error(found(2), expected.y) <= 2e-6);
      CHECK(relative_error(found(4), expected.dshortcut) == 0.0);
      CHECK(relative_error(found(5), expected.dx) <= 2e-6);
    }
}

TEST_CASE("a large offset costs no digits of batch norm on a device") {
  const Shape shape{4, 1, 28, 28};
  Tensor<float> x(shape);
  Tensor<double> exact(shape);
  for (Index i = 0; i < shape.size(); ++i) {
    x.data()[i] = static_cast<float>(1e4 + 0.1 * std::sin(static_cast<double>(i)));
    exact.data()[i] = static_cast<double>(x.data()[i]);
  }
  Tensor<double> expected(shape);
  nn::BatchNorm2d<double> oracle(1);
  nn::BatchNorm2d<double>::Tape oracle_tape;
  oracle.forward(Reference{}, exact, expected, oracle_tape);
  for (const int size : machine_sizes) {
    const SizedMachine machine(size);
    cuda::BatchNorm2d norm(machine, 1);
    cuda::BatchNorm2d::Tape tape;
    const cuda::DeviceTensor<float> from(machine, x);
    cuda::DeviceTensor<float> y(machine, shape);
    norm.forward(machine, from, y, tape);
    CHECK(relative_error(y.to_host(machine), expected) <= 2e-6);
  }
}

TEST_CASE("gradients that overflow float within a lane are summed in double, over their own place too") {
  const Shape shape{2, 2, 6, 6};
  NormInputs<float> in(shape);
  in.dy.fill(0.0F);
  for (const Index k : {0, 1}) {  // one lane has 6e38, the next one -6e38, at the same values of x
    in.dy.data()[k] = 3e38F;
    in.dy.data()[k + 4] = -3e38F;
    in.x.data()[k + 4] = in.x.data()[k];
  }
  in.shortcut.fill(100.0F);
  auto layer = some_layer(2);
  for (float& weight : layer.weight.value) weight = 1e-3F;
  for (const int size : machine_sizes)
    for (const Follow follow : {Follow::nothing, Follow::add_relu}) {
      const auto pass = run_on_device(SizedMachine(size), layer, in, follow, true);
      CHECK(relative_error(pass.dshortcut, in.dy) == 0.0);
      CHECK(relative_error(pass.layer.weight.grad, Buffer<float>(2, 0.0F)) == 0.0);
      CHECK(relative_error(pass.layer.bias.grad, Buffer<float>(2, 0.0F)) == 0.0);
      const double scale = static_cast<double>(pass.dx.data()[0]) / 3e38;
      CHECK(scale > 1e-4);
      for (Index i = 0; i < shape.size(); ++i)
        CHECK(static_cast<double>(pass.dx.data()[i]) ==
              doctest::Approx(scale * static_cast<double>(in.dy.data()[i])).epsilon(1e-6));
    }
}

TEST_CASE("gradients of batch norm are added to those that are there") {
  const Shape shape{2, 3, 4, 4};
  const SizedMachine machine(1);
  auto host = some_layer(3);
  cuda::BatchNorm2d norm(machine, 3);
  cuda::copy_parameters_to_device(machine, host, norm);
  cuda::BatchNorm2d::Tape tape;
  const NormInputs<float> in(shape);
  const cuda::DeviceTensor<float> x(machine, in.x);
  const cuda::DeviceTensor<float> dy(machine, in.dy);
  cuda::DeviceTensor<float> y(machine, shape);
  norm.forward(machine, x, y, tape);
  norm.backward(machine, x, dy, y, tape);
  cuda::copy_parameters_to_host(machine, norm, host);
  const auto once = host.weight.grad;
  norm.backward(machine, x, dy, y, tape);
  cuda::copy_parameters_to_host(machine, norm, host);
  for (std::size_t c = 0; c < 3; ++c) CHECK(host.weight.grad[c] == 2 * once[c]);
}

TEST_CASE("a batch norm that fits is one launch each way, another three") {
  const auto launches = [](int size, auto&& what) {
    const SizedMachine machine(size);
    const Shape shape{2, 3, 4, 4};
    cuda::BatchNorm2d norm(machine, 3);
    cuda::BatchNorm2d::Tape tape;
    const cuda::DeviceTensor<float> x(machine, noise<float>(shape, 1));
    cuda::DeviceTensor<float> y(machine, shape);
    return what(machine, norm, tape, x, y);
  };
  const auto there_and_back = [](const auto& machine, auto& norm, auto& tape, const auto& x, auto& y) {
    const auto before = machine.traffic().launches;
    norm.forward(machine, x, y, tape);
    norm.backward(machine, x, x, y, tape);
    return machine.traffic().launches - before;
  };
  CHECK(launches(1, there_and_back) == 2);
  CHECK(launches(SizedMachine::many, there_and_back) == 6);
}

TEST_CASE("batch norm on a device names both sides of a mismatch and launches nothing") {
  const SizedMachine machine(1);
  cuda::BatchNorm2d norm(machine, 3);
  cuda::BatchNorm2d::Tape tape;
  cuda::DeviceTensor<float> three(machine, Shape{2, 3, 4, 4});
  cuda::DeviceTensor<float> four(machine, Shape{2, 4, 4, 4});
  cuda::DeviceTensor<float> single(machine, Shape{1, 3, 1, 1});
  CHECK_THROWS_WITH_AS(norm.forward(machine, four, four, tape),
                       "recal: batch norm of 3 channels was given (N=2, C=4, H=4, W=4)", error);
  CHECK_THROWS_WITH_AS(norm.infer(machine, three, four),
                       "recal: output of batch norm has shape (N=2, C=4, H=4, W=4), expected (N=2, C=3, H=4, W=4)",
                       error);
  CHECK_THROWS_AS(norm.infer_add_relu(machine, three, four, three), error);
  CHECK_THROWS_WITH_AS(norm.forward(machine, single, single, tape),
                       "recal: training batch norm needs more than one value per channel, found one in (N=1, C=3, "
                       "H=1, W=1)",
                       error);
  CHECK_THROWS_WITH_AS(norm.backward(machine, three, three, three, tape),
                       "recal: batch norm's tape holds 0 channels, the layer has 3; forward comes before backward",
                       error);
  CHECK_THROWS_AS(norm.backward_add_relu(machine, three, three, three, four, three, tape), error);
  CHECK(machine.traffic().launches == 0);
}

TEST_CASE("an empty batch passes through batch norm on a device and leaves its statistics") {
  const SizedMachine machine(1);
  for (const Shape& shape : {Shape{0, 3, 4, 4}, Shape{2, 3, 0, 4}}) {
    const NormInputs<float> in(shape);
    const auto pass = run_on_device(machine, some_layer(3), in, Follow::relu, true);
    CHECK(pass.layer.running_var.value == some_layer(3).running_var.value);
    CHECK(pass.layer.num_batches_tracked.value[0] == 7);
    CHECK(pass.layer.weight.grad[0] == 0.0F);
  }
  CHECK(machine.traffic().launches == 0);
}
