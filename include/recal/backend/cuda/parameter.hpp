// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/core/visit.hpp>

namespace recal::cuda {

/// A learnable array in device memory; recal::BasicParameter's twin.
struct DeviceParameter {
  std::string name;
  std::vector<Index> shape;
  bool decay = true;
  DeviceBuffer<float> value;
  DeviceBuffer<float> grad;

  DeviceParameter() = default;
  template <Machine M>
  DeviceParameter(const M& machine, BasicParameter<float> host)
      : name(std::move(host.name)), shape(std::move(host.shape)), decay(host.decay) {
    upload(machine, std::span<const float>(host.value), value);
    grad.resize(machine, value.size());
    clear(machine, grad);
  }

  [[nodiscard]] Index size() const noexcept { return value.size(); }
};

/// An array that belongs to the state but is not learned, in device memory.
struct DeviceState {
  std::string name;
  std::vector<Index> shape;
  DeviceBuffer<float> value;

  DeviceState() = default;
  template <Machine M>
  DeviceState(const M& machine, BasicState<float> host) : name(std::move(host.name)), shape(std::move(host.shape)) {
    upload(machine, std::span<const float>(host.value), value);
  }

  [[nodiscard]] Index size() const noexcept { return value.size(); }
};

}  // namespace recal::cuda

namespace recal::detail {

template <>
inline constexpr bool is_parameter<cuda::DeviceParameter> = true;
template <>
inline constexpr bool is_state<cuda::DeviceState> = true;

}  // namespace recal::detail

namespace recal::cuda {

namespace detail {

template <class Leaf, class Layer>
[[nodiscard]] std::map<std::string, Leaf*> leaves(Layer& layer) {
  std::map<std::string, Leaf*> all;
  for_each_leaf(layer, [&](const std::string& name, auto& leaf) {
    if constexpr (std::is_same_v<std::remove_const_t<std::remove_reference_t<decltype(leaf)>>,
                                 std::remove_const_t<Leaf>>)
      all[name] = &leaf;
  });
  return all;
}

/// f(host array, device array) for every pair of one name. errors: a name or a size that only one side has
template <class HostLeaf, class DeviceLeaf, class Host, class Device, class F>
void for_each_pair(Host& host, Device& device, const F& f) {
  const auto here = leaves<HostLeaf>(host);
  const auto there = leaves<DeviceLeaf>(device);
  check(here.size() == there.size(), "the module on the host has ", here.size(), " arrays, the one on the device ",
        there.size());
  for (const auto& [name, leaf] : here) {
    const auto found = there.find(name);
    check(found != there.end(), "the module on the device has no ", name, ", the one on the host has");
    check(found->second->size() == leaf->size(), name, " has ", leaf->size(), " elements on the host and ",
          found->second->size(), " on the device");
  }
  for (const auto& [name, leaf] : here) f(*leaf, *there.at(name));
}

template <Machine M>
void fetch(const M& machine, const DeviceBuffer<float>& from, Buffer<float>& to) {
  if (from.size() > 0) machine.copy_to_host(to.data(), from.data(), from.bytes());
}

}  // namespace detail

/// Every parameter and state of a module on the host (float) to its twin on the device, by name; gradients become 0.
template <Machine M, class Host, class Device>
void copy_parameters_to_device(const M& machine, const Host& host, Device& device) {
  detail::for_each_pair<const BasicParameter<float>, DeviceParameter>(host, device, [&](const auto& from, auto& to) {
    upload(machine, std::span<const float>(from.value), to.value);
    clear(machine, to.grad);
  });
  detail::for_each_pair<const BasicState<float>, DeviceState>(
      host, device, [&](const auto& from, auto& to) { upload(machine, std::span<const float>(from.value), to.value); });
}

/// Back again, gradients included. Waits for the device.
template <Machine M, class Device, class Host>
void copy_parameters_to_host(const M& machine, const Device& device, Host& host) {
  detail::for_each_pair<BasicParameter<float>, const DeviceParameter>(host, device, [&](auto& to, const auto& from) {
    detail::fetch(machine, from.value, to.value);
    detail::fetch(machine, from.grad, to.grad);
  });
  detail::for_each_pair<BasicState<float>, const DeviceState>(
      host, device, [&](auto& to, const auto& from) { detail::fetch(machine, from.value, to.value); });
}

/// ensures: every gradient is zero
template <Machine M, class Device>
void zero_gradients(const M& machine, Device& device) {
  for_each_parameter(device, [&](DeviceParameter& parameter) { clear(machine, parameter.grad); });
}

}  // namespace recal::cuda
