// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <cuda_runtime_api.h>

#include <recal/core/error.hpp>

namespace recal::cuda {

/// Throws recal::error, "<doing>: <CUDA's name>: <CUDA's words>", unless a call of the CUDA runtime went well.
template <class... Parts>
void check_runtime(cudaError_t result, const Parts&... doing) {
  if (result != cudaSuccess) [[unlikely]]
    fail(doing..., ": ", std::string_view(cudaGetErrorName(result)), ": ",
         std::string_view(cudaGetErrorString(result)));
}

}  // namespace recal::cuda
