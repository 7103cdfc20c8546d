// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>

#include <recal/backend/cuda/runtime_error.hpp>

namespace recal::cuda {

/// What does not change about a device.
struct DeviceFacts {
  int multiprocessors = 0;
  bool memory_pools = false;
};

/// The facts of the calling thread's current device, asked of the runtime once per device.
/// errors: no driver, no device
[[nodiscard]] inline DeviceFacts current_device_facts() {
  static std::mutex mutex;
  static std::map<int, DeviceFacts> known;
  int device = 0;
  check_runtime(cudaGetDevice(&device), "looking for a CUDA device");
  const std::lock_guard lock(mutex);
  const auto found = known.find(device);
  if (found != known.end()) return found->second;
  const auto ask = [device](cudaDeviceAttr attribute) {
    int value = 0;
    check_runtime(cudaDeviceGetAttribute(&value, attribute, device), "asking for attribute ",
                  static_cast<int>(attribute), " of CUDA device ", device);
    return value;
  };
  const DeviceFacts facts{ask(cudaDevAttrMultiProcessorCount), ask(cudaDevAttrMemoryPoolsSupported) != 0};
  return known[device] = facts;
}

}  // namespace recal::cuda
