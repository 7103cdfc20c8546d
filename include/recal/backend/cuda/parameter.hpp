// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <type_traits>
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

/// An array of a layer on the device; shares the layer's memory.
struct DeviceLeaf {
  DeviceBuffer<float> value;
  DeviceBuffer<float> grad;  // of parameters
  bool learned = false;
};

template <class Layer>
[[nodiscard]] std::map<std::string, DeviceLeaf> leaves(const Layer& device) {
  std::map<std::string, DeviceLeaf> all;
  for_each_parameter(device, [&](const std::string& name, const DeviceParameter& p) {
    all[name] = {p.value, p.grad, true};
  });
  for_each_state(device, [&](const std::string& name, const DeviceState& s) { all[name] = {s.value, {}, false}; });
  return all;
}

/// errors: a name, a size or a kind that only one side has
template <class Host>
void check_twins(const Host& host, const std::map<std::string, DeviceLeaf>& there) {
  std::size_t count = 0;
  for_each_leaf(host, [&](const std::string&, const auto&) { ++count; });
  check(count == there.size(), "the module on the host has ", count, " arrays, the one on the device ", there.size());
  for_each_leaf(host, [&](const std::string& name, const auto& leaf) {
    using T = typename std::remove_cvref_t<decltype(leaf.value)>::value_type;
    static_assert(std::is_same_v<T, float> || std::is_integral_v<T>,
                  "recal: a module whose parameters go to a device has arrays of float, and integers for counts");
    const auto found = there.find(name);
    check(found != there.end(), "the module on the device has no ", name, ", the one on the host has");
    check(found->second.value.size() == leaf.size(), name, " has ", leaf.size(), " elements on the host and ",
          found->second.value.size(), " on the device");
    check(found->second.learned == recal::detail::is_parameter<std::remove_cvref_t<decltype(leaf)>>, name,
          " is learned on one side and kept on the other");
  });
}

/// f(host array, device array) for every pair of one name.
template <class Host, class Device, class F>
void for_each_pair(Host& host, const Device& device, const F& f) {
  const auto there = leaves(device);
  check_twins(host, there);
  for_each_leaf(host, [&](const std::string& name, auto& leaf) { f(leaf, there.at(name)); });
}

template <class To, class From>
[[nodiscard]] Buffer<To> converted(const Buffer<From>& from) {
  Buffer<To> to(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = static_cast<To>(from[i]);
  return to;
}

/// requires: equal sizes
template <Machine M, class T>
void put(const M& machine, const Buffer<T>& from, const DeviceBuffer<float>& to) {
  if (from.empty()) return;
  if constexpr (std::is_same_v<T, float>)
    machine.copy_to_device(to.data(), from.data(), to.bytes());
  else
    put(machine, converted<float>(from), to);
}

template <Machine M, class T>
void fetch(const M& machine, const DeviceBuffer<float>& from, Buffer<T>& to) {
  to = converted<T>(download(machine, from));
}

}  // namespace detail

/// Every parameter and state of a module on the host (float) to its twin on the device, by name; gradients become 0.
/// States that are integers on the host, counts of batches, are float on the device: exact below 2^24.
/// errors: modules that are not twins, before anything is copied
template <Machine M, class Host, class Device>
void copy_parameters_to_device(const M& machine, const Host& host, Device& device) {
  detail::for_each_pair(host, device, [&](const auto& from, detail::DeviceLeaf to) {
    detail::put(machine, from.value, to.value);
    clear(machine, to.grad);
  });
}

/// Back again, gradients included. Waits for the device.
template <Machine M, class Device, class Host>
void copy_parameters_to_host(const M& machine, const Device& device, Host& host) {
  detail::for_each_pair(host, device, [&](auto& to, const detail::DeviceLeaf& from) {
    detail::fetch(machine, from.value, to.value);
    if constexpr (recal::detail::is_parameter<std::remove_cvref_t<decltype(to)>>)
      detail::fetch(machine, from.grad, to.grad);
  });
}

/// ensures: every gradient is zero
template <Machine M, class Device>
void zero_gradients(const M& machine, Device& device) {
  for_each_parameter(device, [&](DeviceParameter& parameter) { clear(machine, parameter.grad); });
}

}  // namespace recal::cuda
