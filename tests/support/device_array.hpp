// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/plane_team.hpp>

namespace recal::testing {

/// An array in device memory with these numbers.
template <cuda::Machine M, class T>
[[nodiscard]] cuda::DeviceBuffer<T> to_device(const M& machine, const Buffer<T>& numbers) {
  cuda::DeviceBuffer<T> there;
  upload(machine, std::span<const T>(numbers), there);
  return there;
}

/// The numbers of a reducer's state, as cuda::States keeps them, behind those that are there.
template <class Reducer>
void append_state(Buffer<double>& numbers, const cuda::detail::StateOf<Reducer, double>& state) {
  for (const double number : cuda::detail::members<Reducer, double>(state).value) numbers.push_back(number);
}

/// The state of a plane, element by element in double.
template <class Reducer, class T>
[[nodiscard]] auto state_of_plane(std::span<const T> x) {
  auto state = Reducer::template start<double>(static_cast<double>(x[0]));
  for (const T value : x) Reducer::add(state, static_cast<double>(value));
  return state;
}

}  // namespace recal::testing
