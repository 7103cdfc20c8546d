// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

namespace recal::cuda {

/// Whether there is a card that the CUDA runtime can use: false without a driver, without a card, and with a driver
/// that is too old. Never throws.
[[nodiscard]] inline bool available() noexcept {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) == cudaSuccess) return devices > 0;
  cudaGetLastError();  // the fault is ours: later calls must not find it
  return false;
}

}  // namespace recal::cuda
