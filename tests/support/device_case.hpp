// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/parameter.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/module_golden.hpp"
#include "tests/support/narrow_tensor.hpp"

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

/// The same on the processor.
template <class Host>
[[nodiscard]] DevicePass<float> run_on_processor(Host& host, const Tensor<float>& x, const Tensor<float>& dy,
                                                 bool training) {
  DevicePass<float> pass{Tensor<float>(x.shape()), Tensor<float>(x.shape())};
  typename Host::Tape tape;
  if (training)
    host.forward(x, pass.y, tape);
  else
    host.forward_frozen(x, pass.y, tape);
  host.backward(x, dy, pass.dx, tape);
  return pass;
}

/// A narrow tensor is computed with in float: only its own rounding, at most half a unit in the last place of the
/// largest element, separates the result from that of the same numbers in float on the processor.
template <class Machine, class Host, class Module, class T>
void check_narrow_pass(const Machine& machine, Host& host, Module& module, const Tensor<T>& x, const Tensor<T>& dy,
                       bool training, double half_unit) {
  const auto found = run_on(machine, module, x, dy, training);
  const auto expected = run_on_processor(host, widened(x), widened(dy), training);
  CHECK(relative_error(found.y, expected.y) <= half_unit + 2e-6);
  CHECK(relative_error(found.dx, expected.dx) <= half_unit + 2e-6);
}

/// f(machine, golden) for every case, in a schedule that changes from case to case.
template <class F>
void for_each_case(const std::string& prefix, const F& f) {
  std::uint64_t seed = 0;
  for (const std::string& name : golden_cases(prefix)) {
    INFO(std::string(name));
    f(HostMachine(seed % 2 == 0 ? Schedule::random(seed) : Schedule::reverse()), Golden(name));
    ++seed;
  }
}

}  // namespace recal::testing
