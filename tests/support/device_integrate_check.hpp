// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cuda/integrate/integrate.hpp>

#include "tests/support/fill.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/host_run/machine.hpp"
#include "tests/support/noise.hpp"

namespace recal::testing {

template <class V>
struct IntegrateForwardKernel {
  V integrate;
  Index rows;
  Index in;
  Index out;
  const double* t;
  double* z;

  template <class Context>
  void operator()(const Context& ctx) const {
    const Index group = ctx.block();
    integrate.forward(cuda::BlockLanes<Context>{ctx}, group, rows, t + group * rows * in, z + group * rows * out);
  }
};

template <class V>
struct IntegrateBackwardKernel {
  V integrate;
  Index rows;
  Index in;
  Index out;
  const double* t;
  const double* dz;
  double* dt;

  template <class Context>
  void operator()(const Context& ctx) const {
    const Index group = ctx.block();
    integrate.backward(cuda::BlockLanes<Context>{ctx}, group, rows, t + group * rows * in, dz + group * rows * out,
                       dt + group * rows * in);
  }
};

template <class V>
struct IntegrateGradientsKernel {
  V integrate;
  Index groups;
  Index rows;
  const double* t;
  const double* dz;

  template <class Context>
  void operator()(const Context& ctx) const {
    integrate.gradients(cuda::BlockLanes<Context>{ctx}, ctx.block(), ctx.blocks(), groups, rows, t, dz);
  }
};

/// The numbers in T.
template <class T, class Numbers>
[[nodiscard]] Buffer<T> in(const Numbers& numbers) {
  Buffer<T> converted(numbers.size());
  std::transform(numbers.begin(), numbers.end(), converted.begin(), [](auto x) { return static_cast<T>(x); });
  return converted;
}

/// Values of all parameters and states of `from`, in those of its twin `to`.
template <class From, class To>
void copy_values(const From& from, To& to) {
  std::vector<Buffer<double>> values;
  for_each_leaf(from, [&](const auto&, const auto& leaf) { values.push_back(in<double>(leaf.value)); });
  std::size_t i = 0;
  for_each_leaf(to, [&](const auto&, auto& leaf) {
    leaf.value = in<std::remove_cvref_t<decltype(leaf.value[0])>>(values.at(i++));
  });
}

/// Runs a device integration on all groups, with `threads` lanes, and CHECKs z, dt, the gradients and the states
/// against `expected`, its twin on the host; both get the parameters of `host`, which has the device's types.
template <class Host, class Device, class Expected>
void check_device_integrate(const HostMachine& machine, Host host, Device device, Expected expected, Index groups,
                            Index rows, cuda::Pass pass, int threads) {
  using recal::detail::add_parameter_gradients;
  using recal::detail::begin_tape;
  for_each_leaf(host,
                [](const std::string& name, auto& leaf) { fill(name, 0.3, 0.9, leaf.value.data(), leaf.size()); });
  cuda::copy_parameters_to_device(machine, host, device);
  const Buffer<double> t = noise("t", groups * rows * Host::in, 0.1, 1.0);
  const Buffer<double> dz = noise("dz", groups * rows * Host::out);

  cuda::DeviceBuffer<double> t_there;
  cuda::DeviceBuffer<double> dz_there;
  upload(machine, std::span<const double>(t), t_there);
  upload(machine, std::span<const double>(dz), dz_there);
  cuda::DeviceBuffer<double> z_there(machine, groups * rows * Host::out);
  cuda::DeviceBuffer<double> dt_there(machine, groups * rows * Host::in);
  typename Device::Tape device_tape;
  device.begin(machine, groups, rows, device_tape);
  const auto view = device.view(pass, device_tape);
  using View = typename Device::View;
  const cuda::Launch launch{groups, threads, cuda::BlockLanes<int>::shared_bytes};
  machine.launch(launch, IntegrateForwardKernel<View>{view, rows, Host::in, Host::out, t_there.data(), z_there.data()});
  machine.launch(launch, IntegrateBackwardKernel<View>{view, rows, Host::in, Host::out, t_there.data(), dz_there.data(),
                                                       dt_there.data()});
  if constexpr (Host::mixing == Mixing::channels)
    machine.launch({view.gradient_blocks(rows), threads, cuda::BlockLanes<int>::shared_bytes},
                   IntegrateGradientsKernel<View>{view, groups, rows, t_there.data(), dz_there.data()});

  Buffer<double> z(dz.size());
  Buffer<double> dt(t.size());
  typename Expected::Tape tape;
  const auto slice = [](auto& all, Index group, Index size) {
    return std::span(all).subspan(static_cast<std::size_t>(group * size), static_cast<std::size_t>(size));
  };
  copy_values(host, expected);
  begin_tape(expected, groups, rows, pass == cuda::Pass::train ? Mode::train : Mode::frozen, tape);
  for (Index g = 0; g < groups; ++g)
    expected.forward(g, slice(t, g, rows * Host::in), slice(z, g, rows * Host::out), tape);
  for (Index g = 0; g < groups; ++g)
    expected.backward(g, slice(t, g, rows * Host::in), slice(dz, g, rows * Host::out), slice(dt, g, rows * Host::in),
                      tape);
  add_parameter_gradients(expected, groups, t, dz, tape);

  CHECK(relative_error(download(machine, z_there), z) <= 1e-13);
  CHECK(relative_error(download(machine, dt_there), dt) <= 1e-12);
  cuda::copy_parameters_to_host(machine, device, host);
  std::vector<std::pair<Buffer<float>, Buffer<float>>> pairs;
  for_each_parameter(host, [&](const auto& p) { pairs.push_back({p.grad, {}}); });
  for_each_state(host, [&](const auto& s) { pairs.push_back({s.value, {}}); });
  std::size_t i = 0;
  for_each_parameter(expected, [&](const auto& p) { pairs[i++].second = in<float>(p.grad); });
  for_each_state(expected, [&](const auto& s) { pairs[i++].second = in<float>(s.value); });
  for (const auto& [found, wanted] : pairs) CHECK(relative_error(found, wanted) <= 2e-7);
}

/// The same in every order of threads, with one warp and with several; run(host, device) where the host's own
/// arithmetic is double, else run(host, device, its twin with parameters in double).
template <class Make>
void check_device_integrate(Index groups, Index rows, cuda::Pass pass, const Make& make) {
  for (const Schedule& schedule : {Schedule::forward(), Schedule::reverse(), Schedule::random(3)})
    for (const int threads : {32, 96}) {
      const HostMachine machine(schedule);
      const auto run = [&](auto host, auto device, auto expected) {
        check_device_integrate(machine, std::move(host), std::move(device), std::move(expected), groups, rows, pass,
                               threads);
      };
      make(machine, [&]<class Host, class Device, class... Exact>(Host host, Device device, Exact... exact) {
        if constexpr (sizeof...(Exact) == 0)
          run(host, std::move(device), host);
        else
          run(std::move(host), std::move(device), std::move(exact)...);
      });
    }
}

}  // namespace recal::testing
