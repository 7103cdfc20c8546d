// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/batch_norm.hpp>
#include <recal/backend/cuda/modules.hpp>
#include <recal/backend/cuda/residual_tail.hpp>

#include "tests/backend/cuda/ptx/modules.hpp"
#include "tests/backend/cuda/ptx/results.hpp"

namespace recal::testing {

/// Launches every kernel of batch norm for tensors of T.
template <class T, class M>
void run_batch_norm(const M& machine, const Shape& shape, Results& results) {
  cuda::BatchNorm2d norm(machine, shape.c);
  set_parameters(machine, norm);
  const cuda::DeviceTensor<T> x(machine, pattern<T>(shape, 1));
  const cuda::DeviceTensor<T> dy(machine, pattern<T>(shape, 2));
  const cuda::DeviceTensor<T> shortcut(machine, pattern<T>(shape, 3));
  cuda::DeviceTensor<T> y(machine, shape);
  cuda::DeviceTensor<T> dx(machine, shape);
  cuda::DeviceTensor<T> dshortcut(machine, shape);
  cuda::BatchNorm2d::Tape tape;
  norm.infer(machine, x, y, nn::Activation::relu);
  keep(machine, "batch norm infer", y, results);
  norm.forward(machine, x, y, tape);
  keep(machine, "batch norm forward", y, results);
  norm.backward(machine, x, dy, dx, tape);
  keep(machine, "batch norm backward", dx, results);
  norm.forward(machine, x, y, tape, nn::Activation::relu);
  norm.backward_relu(machine, x, y, dy, dx, tape);
  keep(machine, "batch norm backward_relu", dx, results);
  norm.forward_add_relu(machine, x, shortcut, y, tape);
  keep(machine, "batch norm forward_add_relu", y, results);
  norm.backward_add_relu(machine, x, y, dy, dshortcut, dx, tape);
  keep(machine, "batch norm backward_add_relu", dx, results);
}

/// Launches a residual tail's inference, forward and backward pass for tensors of T.
template <class T, class M, class Module>
void run_tail(const M& machine, const std::string& name, Module twin, const Shape& shape, Results& results) {
  cuda::BatchNorm2d norm(machine, shape.c);
  set_parameters(machine, norm);
  set_parameters(machine, twin);
  const cuda::DeviceTensor<T> x(machine, pattern<T>(shape, 1));
  const cuda::DeviceTensor<T> shortcut(machine, pattern<T>(shape, 2));
  const cuda::DeviceTensor<T> dout(machine, pattern<T>(shape, 3));
  cuda::DeviceTensor<T> out(machine, shape);
  cuda::DeviceTensor<T> dshortcut(machine, shape);
  cuda::DeviceTensor<T> dx(machine, shape);
  cuda::BatchNorm2d::Tape norm_tape;
  typename Module::Tape module_tape;
  cuda::ResidualTailTape tape;
  cuda::ResidualTail tail(norm, twin, norm_tape, module_tape, tape);
  tail.forward(machine, x, shortcut, out, Mode::train);
  keep(machine, name + " tail forward", out, results);
  tail.backward(machine, x, out, dout, dshortcut, dx);
  keep(machine, name + " tail dx", dx, results);
  keep(machine, name + " tail dshortcut", dshortcut, results);
  cuda::infer_tail(machine, twin, x, shortcut, out);
  keep(machine, name + " tail infer", out, results);
}

template <class T, class M>
void run_tails(const M& machine, const Shape& shape, Results& results) {
  run_batch_norm<T>(machine, shape, results);
  run_tail<T>(machine, "SRM", cuda::Srm(machine, shape.c), shape, results);
  run_tail<T>(machine, "SE", cuda::Se<>(machine, shape.c, 2), shape, results);
  run_tail<T>(machine, "GE", cuda::GlobalGeThetaMinus(machine, shape.c), shape, results);
  run_tail<T>(machine, "ECA", cuda::Eca(machine, shape.c, 3), shape, results);
  run_tail<T>(machine, "GCT", cuda::Gct(machine, shape.c), shape, results);
  run_tail<T>(machine, "GRN", cuda::Grn(machine, shape.c), shape, results);
  run_tail<T>(machine, "Max", MaxModule(machine, shape.c), shape, results);
}

}  // namespace recal::testing
