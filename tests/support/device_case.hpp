// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/parameter.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/module_golden.hpp"

namespace recal::testing {

/// What one forward and backward pass on a machine left, on the host.
template <class T>
struct DevicePass {
  Tensor<T> y;
  Tensor<T> dx;
};

/// Runs a device module forward (or frozen) and backward.
template <class Machine, class Module, class T>
[[nodiscard]] DevicePass<T> run_on(const Machine& machine, Module& module, const Tensor<T>& x, const Tensor<T>& dy,
                                   bool training) {
  const cuda::DeviceTensor<T> x_there(machine, x);
  const cuda::DeviceTensor<T> dy_there(machine, dy);
  cuda::DeviceTensor<T> y_there(machine, x.shape());
  cuda::DeviceTensor<T> dx_there(machine, x.shape());
  typename Module::Tape tape;
  if (training)
    module.forward(machine, x_there, y_there, tape);
  else
    module.forward_frozen(machine, x_there, y_there, tape);
  module.backward(machine, x_there, dy_there, dx_there, tape);
  return {y_there.to_host(machine), dx_there.to_host(machine)};
}

/// Runs one golden case in float on a machine and CHECKs everything in it. `host` is the module on the processor, whose
/// parameters go to `module` and whose gradients and states come back from it.
template <class Machine, class Host, class Module>
void check_device_case(const Machine& machine, const Golden& g, Host host, Module module) {
  const Tolerance allowed = tolerance<float>(g.name());
  load_parameters(host, g);
  cuda::copy_parameters_to_device(machine, host, module);
  const auto x = g.tensor<float>("x");
  const bool training = g.meta("mode") != "eval";
  if (!training) {
    const cuda::DeviceTensor<float> x_there(machine, x);
    cuda::DeviceTensor<float> y_there(machine, x.shape());
    module.infer(machine, x_there, y_there);
    check_tensor(y_there.to_host(machine), g, "y", allowed.output);
  }
  const auto pass = run_on(machine, module, x, g.tensor<float>("dy"), training);
  cuda::copy_parameters_to_host(machine, module, host);
  check_tensor(pass.y, g, "y", allowed.output);
  check_tensor(pass.dx, g, "dx", allowed.gradient);
  check_gradients(host, g, allowed.gradient);
  check_states(host, g, allowed.output);
}

}  // namespace recal::testing
