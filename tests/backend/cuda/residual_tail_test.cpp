// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cuda/residual_tail.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/cuda/modules.hpp>
#include <recal/eca.hpp>
#include <recal/fused/residual_tail.hpp>
#include <recal/gct.hpp>
#include <recal/ge.hpp>
#include <recal/grn.hpp>
#include <recal/pool/max.hpp>
#include <recal/se.hpp>
#include <recal/srm.hpp>

#include "tests/support/device_orders.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/narrow_tensor.hpp"
#include "tests/support/noise_tensor.hpp"
#include "tests/support/sized_machine.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

constexpr int machine_sizes[] = {1, SizedMachine::many};

nn::BatchNorm2d<float> some_norm(Index channels) {
  nn::BatchNorm2d<float> norm(channels);
  stir_parameters(norm, 3, 1.5);  // weights of both signs
  for (Index c = 0; c < channels; ++c) {
    at(norm.running_mean.value, c) = static_cast<float>(0.1 * static_cast<double>(c % 3));
    at(norm.running_var.value, c) = static_cast<float>(0.5 + 0.25 * static_cast<double>(c % 4));
  }
  return norm;
}

template <class T>
struct TailInputs {
  Tensor<T> x;
  Tensor<T> shortcut;
  Tensor<T> dout;

  explicit TailInputs(const Shape& shape)
      : x(noise<T>(shape, 1, 2.0, 0.3)), shortcut(noise<T>(shape, 2)), dout(noise<T>(shape, 4)) {}
};

/// All that one forward and backward pass leaves behind.
template <class T, class Module>
struct TailPass {
  nn::BatchNorm2d<float> norm;
  Module module;
  Tensor<T> out{};
  Tensor<T> dshortcut{};
  Tensor<T> dx{};
};

template <class Module>
TailPass<float, Module> run_on_processor(const Module& module, const TailInputs<float>& in, Mode mode) {
  const Shape& shape = in.x.shape();
  TailPass<float, Module> pass{some_norm(shape.c), module};
  for (Tensor<float>* tensor : {&pass.out, &pass.dshortcut, &pass.dx}) tensor->resize(shape);
  nn::BatchNorm2d<float>::Tape norm_tape;
  typename Module::Tape module_tape;
  recal::ResidualTailTape tape;
  recal::ResidualTail tail(pass.norm, pass.module, norm_tape, module_tape, tape);
  tail.forward(Cpu{}, in.x.view(), in.shortcut.view(), pass.out.view(), mode);
  tail.backward(Cpu{}, in.x.view(), std::as_const(pass.out).view(), in.dout.view(), pass.dshortcut.view(),
                pass.dx.view());
  return pass;
}

/// The gradient of the shortcut takes the place of the output's.
template <class T, class Module, class Device>
TailPass<T, Module> run_on_device(const SizedMachine& machine, const Module& module, Device twin,
                                  const TailInputs<T>& in, Mode mode) {
  const Shape& shape = in.x.shape();
  TailPass<T, Module> pass{some_norm(shape.c), module};
  cuda::BatchNorm2d norm(machine, shape.c);
  cuda::copy_parameters_to_device(machine, pass.norm, norm);
  cuda::copy_parameters_to_device(machine, module, twin);
  const cuda::DeviceTensor<T> x(machine, in.x);
  const cuda::DeviceTensor<T> shortcut(machine, in.shortcut);
  cuda::DeviceTensor<T> gradient(machine, in.dout);
  cuda::DeviceTensor<T> out(machine, shape);
  cuda::DeviceTensor<T> dx(machine, shape);
  cuda::BatchNorm2d::Tape norm_tape;
  typename Device::Tape module_tape;
  cuda::ResidualTailTape tape;
  const cuda::ResidualTail tail(norm, twin, norm_tape, module_tape, tape);
  tail.forward(machine, x, shortcut, out, mode);
  tail.backward(machine, x, out, gradient, gradient, dx);
  cuda::copy_parameters_to_host(machine, norm, pass.norm);
  cuda::copy_parameters_to_host(machine, twin, pass.module);
  pass.out = out.to_host(machine);
  pass.dshortcut = gradient.to_host(machine);
  pass.dx = dx.to_host(machine);
  return pass;
}

/// f(name, all numbers) for every gradient and float state of norm and module.
template <class Pass, class F>
void for_each_array(const Pass& pass, const F& f) {
  const auto visit = [&](const auto& layer) {
    for_each_parameter(layer, [&](const std::string& name, const auto& parameter) { f(name, parameter.grad, true); });
    for_each_state(layer, [&](const std::string& name, const auto& state) { f(name, state.value, false); });
  };
  visit(pass.norm);
  visit(pass.module);
}

struct Bounds {
  double values;
  double gradients;
  double parameters;
};

template <class Found, class Expected>
void check_equal(const Found& found, const Expected& expected, const Bounds& bounds) {
  CHECK(relative_error(found.out, expected.out) <= bounds.values);
  CHECK(relative_error(found.dshortcut, expected.dshortcut) <= bounds.values);
  CHECK(relative_error(found.dx, expected.dx) <= bounds.gradients);
  std::vector<Buffer<double>> arrays;
  const auto doubles = [](const auto& values) {
    Buffer<double> to;
    for (const auto value : values) to.push_back(static_cast<double>(value));
    return to;
  };
  for_each_array(expected, [&](const std::string&, const auto& values, bool) { arrays.push_back(doubles(values)); });
  std::size_t next = 0;
  for_each_array(found, [&](const std::string& name, const auto& values, bool gradient) {
    CAPTURE(name);
    CHECK(relative_error(doubles(values), arrays[next++]) <= (gradient ? bounds.parameters : bounds.values));
  });
}

/// SE with max pooling, whose style needs the extremes, and that pool with each channel for itself.
using MaxSe = Recalibrate<Max, Mlp<float>, Sigmoid>;
using MaxOfChannel = Recalibrate<Max, ChannelWise<float, 1>, Sigmoid>;
struct DeviceMaxSe : cuda::Recalibrate<Max, cuda::Mlp, Sigmoid> {
  DeviceMaxSe(const SizedMachine& m, Index c) : Recalibrate(c, Max{}, cuda::Mlp(m, c, 3)) {}
};
struct DeviceMaxOfChannel : cuda::Recalibrate<Max, cuda::ChannelWise<1>, Sigmoid> {
  DeviceMaxOfChannel(const SizedMachine& m, Index c) : Recalibrate(c, Max{}, cuda::ChannelWise<1>(m, c)) {}
};

/// f(name, module on the processor, its twin) for every module that a tail takes.
template <class F>
void for_each_module(const SizedMachine& m, Index c, const F& f) {
  const auto stirred = [](auto module) {
    stir_parameters(module, 5, 0.5);
    return module;
  };
  f("SRM", stirred(Srm<>(c)), cuda::Srm(m, c));
  f("SE", stirred(Se<>(c, {.reduced = 2})), cuda::Se<>(m, c, 2));
  f("GE", stirred(GeThetaMinus<>(c)), cuda::GlobalGeThetaMinus(m, c));
  f("ECA", stirred(Eca<>(c, 3)), cuda::Eca(m, c, 3));
  f("GCT", stirred(Gct<>(c)), cuda::Gct(m, c));
  f("GRN", stirred(Grn<>(c)), cuda::Grn(m, c));
  f("Max", stirred(MaxSe(c, Max{}, Mlp<float>(c, 3))), DeviceMaxSe(m, c));
  f("Max by channel", stirred(MaxOfChannel(c)), DeviceMaxOfChannel(m, c));
}

}  // namespace

TEST_CASE("the residual tail on the host run equals the CPU's, values, gradients and states") {
  for (const Shape& shape : {Shape{3, 6, 7, 7}, Shape{4, 5, 14, 14}, Shape{2, 3, 56, 56}, Shape{3, 2, 96, 96},
                             Shape{40, 3, 3, 3}, Shape{2, 1, 9, 9}, Shape{5, 3, 1, 1}, Shape{1, 5, 7, 7}})
    for (const int size : machine_sizes)
      for (const Mode mode : {Mode::train, Mode::frozen}) {
        if (shape.n == 1 && mode == Mode::train) continue;
        CAPTURE(to_string(shape));
        CAPTURE(size);
        CAPTURE(static_cast<int>(mode));
        const SizedMachine machine(size, Schedule::forward(), Checks::off);
        const TailInputs<float> in(shape);
        for_each_module(machine, shape.c, [&](const std::string& name, const auto& module, auto twin) {
          CAPTURE(name);
          const auto expected = run_on_processor(module, in, mode);
          check_equal(run_on_device(machine, module, std::move(twin), in, mode), expected, {2e-6, 2e-6, 5e-5});
        });
      }
}

TEST_CASE("the residual tail is the same to the bit in every order of threads and blocks") {
  for (const Shape& shape : {Shape{3, 3, 7, 7}, Shape{2, 2, 36, 36}, Shape{2, 1, 96, 96}})
    for (const int size : machine_sizes)
      for (const Mode mode : {Mode::train, Mode::frozen}) {
        CAPTURE(to_string(shape));
        CAPTURE(size);
        const TailInputs<float> in(shape);
        const SizedMachine forward(size);
        for_each_module(forward, shape.c, [&](const std::string& name, const auto& module, auto twin) {
          CAPTURE(name);
          const auto first = run_on_device(forward, module, twin, in, mode);
          for (const Schedule& schedule : {Schedule::reverse(), Schedule::random(3)}) {
            const SizedMachine machine(size, schedule);
            for_each_module(machine, shape.c, [&](const std::string& again, const auto& other, auto other_twin) {
              if constexpr (std::is_same_v<decltype(other_twin), decltype(twin)>) {
                if (again != name) return;
                const auto pass = run_on_device(machine, other, std::move(other_twin), in, mode);
                CHECK(same_bits(pass.out, first.out));
                CHECK(same_bits(pass.dshortcut, first.dshortcut));
                CHECK(same_bits(pass.dx, first.dx));
                check_equal(pass, first, {0.0, 0.0, 0.0});
              }
            });
          }
        });
      }
}

namespace {

template <class T>
void check_narrow(double half_unit) {
  for (const Shape& shape : {Shape{3, 4, 7, 7}, Shape{2, 3, 16, 16}})
    for (const int size : machine_sizes)
      for (const Mode mode : {Mode::train, Mode::frozen}) {
        const SizedMachine machine(size, Schedule::forward(), Checks::off);
        const TailInputs<T> in(shape);
        TailInputs<float> wide(shape);
        wide.x = widened(in.x);
        wide.shortcut = widened(in.shortcut);
        wide.dout = widened(in.dout);
        for_each_module(machine, shape.c, [&](const std::string& name, const auto& module, const auto& twin) {
          CAPTURE(name);
          const auto found = run_on_device(machine, module, twin, in, mode);
          const auto expected = run_on_device(machine, module, twin, wide, mode);
          const double bound = half_unit + 2e-6;
          check_equal(found, expected, {bound, bound, bound});
        });
      }
}

}  // namespace

TEST_CASE("half and bfloat16 tails are computed in float: half a unit in the last place from its results") {
  check_narrow<half>(0x1p-11);
  check_narrow<bfloat16>(0x1p-8);
}

TEST_CASE("at inference the tail is the module, the add and the ReLU, over its input or the shortcut") {
  for (const Shape& shape : {Shape{2, 6, 7, 7}, Shape{1, 5, 14, 14}, Shape{1, 2, 96, 96}})
    for (const int size : machine_sizes) {
      const SizedMachine machine(size, Schedule::random(4));
      const TailInputs<float> in(shape);
      for_each_module(machine, shape.c, [&](const std::string& name, const auto& module, auto twin) {
        CAPTURE(name);
        cuda::copy_parameters_to_device(machine, module, twin);
        Tensor<float> expected(shape);
        recal::infer_tail(Cpu{}, module, in.x.view(), in.shortcut.view(), expected.view());
        cuda::DeviceTensor<float> x(machine, in.x);
        cuda::DeviceTensor<float> shortcut(machine, in.shortcut);
        cuda::infer_tail(machine, twin, x, shortcut, shortcut);
        CHECK(relative_error(shortcut.to_host(machine), expected) <= 2e-6);
        shortcut.copy_from(machine, in.shortcut);
        cuda::infer_tail(machine, twin, x, shortcut, x);
        CHECK(relative_error(x.to_host(machine), expected) <= 2e-6);
      });
    }
}

TEST_CASE("at inference with a norm of its own the tail is that of forward with running statistics") {
  const Shape shape{2, 5, 7, 7};
  const TailInputs<float> in(shape);
  for (const int size : machine_sizes) {
    const SizedMachine machine(size);
    for_each_module(machine, shape.c, [&](const std::string& name, const auto& module, auto twin) {
      CAPTURE(name);
      const auto expected = run_on_processor(module, in, Mode::frozen);
      cuda::BatchNorm2d norm(machine, shape.c);
      cuda::copy_parameters_to_device(machine, some_norm(shape.c), norm);
      cuda::copy_parameters_to_device(machine, module, twin);
      cuda::DeviceTensor<float> x(machine, in.x);
      const cuda::DeviceTensor<float> shortcut(machine, in.shortcut);
      cuda::BatchNorm2d::Tape norm_tape;
      typename decltype(twin)::Tape module_tape;
      cuda::ResidualTailTape tape;
      cuda::ResidualTail(norm, twin, norm_tape, module_tape, tape).infer(machine, x, shortcut, x);
      CHECK(relative_error(x.to_host(machine), expected.out) <= 2e-6);
    });
  }
}

TEST_CASE("a residual tail of strided tensors") {
  const Shape shape{3, 4, 5, 5};
  const TailInputs<float> in(shape);
  for (const int size : machine_sizes) {
    const SizedMachine machine(size);
    for_each_module(machine, shape.c, [&](const std::string& name, const auto& module, auto twin) {
      CAPTURE(name);
      const auto expected = run_on_processor(module, in, Mode::train);
      cuda::BatchNorm2d norm(machine, shape.c);
      cuda::copy_parameters_to_device(machine, some_norm(shape.c), norm);
      cuda::copy_parameters_to_device(machine, module, twin);
      const StridedDeviceTensor<float> x(machine, in.x);
      StridedDeviceTensor<float> shortcut(machine, in.shortcut);
      StridedDeviceTensor<float> gradient(machine, in.dout);
      StridedDeviceTensor<float> dx(machine, in.x);
      cuda::BatchNorm2d::Tape norm_tape;
      typename decltype(twin)::Tape module_tape;
      cuda::ResidualTailTape tape;
      const cuda::ResidualTail tail(norm, twin, norm_tape, module_tape, tape);
      tail.forward(machine, x.view(), shortcut.view(), shortcut.view(), Mode::train);
      tail.backward(machine, x.view(), shortcut.view(), gradient.view(), gradient.view(), dx.view());
      CHECK(relative_error(shortcut.to_host(machine), expected.out) <= 2e-6);
      CHECK(relative_error(gradient.to_host(machine), expected.dshortcut) <= 2e-6);
      CHECK(relative_error(dx.to_host(machine), expected.dx) <= 2e-6);
    });
  }
}

TEST_CASE("tapes serve one shape after the other") {
  const SizedMachine machine(1);
  cuda::BatchNorm2d norm(machine, 4);
  cuda::BatchNorm2d::Tape norm_tape;
  cuda::copy_parameters_to_device(machine, some_norm(4), norm);
  Srm<> srm(4);
  stir_parameters(srm, 5, 0.5);
  cuda::Srm twin(machine, 4);
  cuda::copy_parameters_to_device(machine, srm, twin);
  cuda::Srm::Tape module_tape;
  cuda::ResidualTailTape tape;
  const cuda::ResidualTail tail(norm, twin, norm_tape, module_tape, tape);
  for (const Shape& shape : {Shape{3, 4, 9, 9}, Shape{2, 4, 3, 3}, Shape{4, 4, 5, 5}}) {
    const TailInputs<float> in(shape);
    const auto expected = run_on_processor(srm, in, Mode::frozen);
    const cuda::DeviceTensor<float> x(machine, in.x);
    const cuda::DeviceTensor<float> shortcut(machine, in.shortcut);
    const cuda::DeviceTensor<float> dout(machine, in.dout);
    cuda::DeviceTensor<float> out(machine, shape);
    cuda::DeviceTensor<float> dx(machine, shape);
    cuda::DeviceTensor<float> dshortcut(machine, shape);
    tail.forward(machine, x, shortcut, out, Mode::frozen);
    tail.backward(machine, x, out, dout, dshortcut, dx);
    CHECK(relative_error(out.to_host(machine), expected.out) <= 2e-6);
    CHECK(relative_error(dshortcut.to_host(machine), expected.dshortcut) == 0.0);
    CHECK(relative_error(dx.to_host(machine), expected.dx) <= 2e-6);
  }
}

TEST_CASE("a tail that fits is one launch each way where no channels are mixed; the others are phases") {
  const Shape shape{2, 3, 7, 7};
  const TailInputs<float> in(shape);
  const auto launches = [&](int size) {
    std::vector<Index> counts;
    const SizedMachine machine(size);
    for_each_module(machine, shape.c, [&](const std::string&, const auto& module, const auto& twin) {
      const auto before = machine.traffic().launches;
      const auto pass = run_on_device(machine, module, twin, in, Mode::train);
      counts.push_back(static_cast<Index>(machine.traffic().launches - before));
    });
    return counts;
  };
  CHECK(launches(1) == std::vector<Index>{2, 9, 2, 9, 9, 9, 9, 2});
  CHECK(launches(SizedMachine::many) == std::vector<Index>{6, 9, 6, 9, 9, 9, 9, 6});
}

TEST_CASE("an empty batch goes through a tail and leaves parameters and states as they are") {
  const SizedMachine machine(1);
  const TailInputs<float> none(Shape{0, 4, 3, 3});
  for_each_module(machine, 4, [&](const std::string& name, const auto& module, const auto& twin) {
    CAPTURE(name);
    const auto pass = run_on_device(machine, module, twin, none, Mode::train);
    CHECK(pass.norm.num_batches_tracked.value[0] == 0);
    CHECK(pass.norm.running_mean.value == some_norm(4).running_mean.value);
    CHECK(pass.norm.weight.grad[0] == 0.0F);
  });
  CHECK(machine.traffic().launches == 0);
}

TEST_CASE("what a residual tail on a device refuses, before anything is launched") {
  const SizedMachine machine(1);
  cuda::BatchNorm2d norm(machine, 4);
  cuda::BatchNorm2d::Tape norm_tape;
  cuda::Srm srm(machine, 4);
  cuda::Srm::Tape module_tape;
  cuda::ResidualTailTape tape;
  const cuda::ResidualTail tail(norm, srm, norm_tape, module_tape, tape);
  const cuda::DeviceTensor<float> x(machine, Shape{2, 4, 3, 3});
  const cuda::DeviceTensor<float> other(machine, Shape{2, 4, 3, 2});
  cuda::DeviceTensor<float> out(machine, Shape{2, 4, 3, 3});
  cuda::DeviceTensor<float> five(machine, Shape{2, 5, 3, 3});
  const cuda::DeviceTensor<float> one(machine, Shape{1, 4, 3, 3});
  cuda::DeviceTensor<float> one_out(machine, Shape{1, 4, 3, 3});
  CHECK_THROWS_WITH_AS(tail.backward(machine, x, x, x, out, out),
                       "recal: the tape has shape (N=0, C=0, H=0, W=0), expected (N=2, C=4, H=3, W=3)", error);
  CHECK_THROWS_WITH_AS(tail.forward(machine, x, other, out, Mode::train),
                       "recal: shortcut has shape (N=2, C=4, H=3, W=2), expected (N=2, C=4, H=3, W=3)", error);
  CHECK_THROWS_WITH_AS(tail.forward(machine, five, five, five, Mode::train),
                       "recal: the module has 4 channels, the input has shape (N=2, C=5, H=3, W=3)", error);
  CHECK_THROWS_AS(tail.forward(machine, x, x, x.view(), Mode::train), error);  // in place
  CHECK_THROWS_WITH_AS(tail.forward(machine, one, one, one_out, Mode::train),
                       doctest::Contains("at least 2 values per channel in training, found 1"), error);
  CHECK_THROWS_AS(tail.forward(machine, x, x, five, Mode::frozen), error);
  CHECK_THROWS_AS(cuda::infer_tail(machine, srm, x, other, out), error);
  const cuda::BatchNorm2d wide(machine, 5);
  CHECK_THROWS_WITH_AS(cuda::ResidualTail(wide, srm, norm_tape, module_tape, tape).infer(machine, x, x, out),
                       "recal: batch norm of 5 channels was given (N=2, C=4, H=3, W=3)", error);
  CHECK(machine.traffic().launches == 0);
  tail.infer(machine, x, x, out);
  CHECK_THROWS_WITH_AS(tail.backward(machine, x, x, x, out, out),
                       "recal: backward comes after forward; the tape is that of infer", error);
  tail.forward(machine, x, x, out, Mode::frozen);
  const auto launches = machine.traffic().launches;
  CHECK_THROWS_WITH_AS(tail.backward(machine, x, x, other, out, out),
                       "recal: its gradient has shape (N=2, C=4, H=3, W=2), expected (N=2, C=4, H=3, W=3)", error);
  CHECK(machine.traffic().launches == launches);
}
