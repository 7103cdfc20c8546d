// SPDX-License-Identifier: Apache-2.0
// SRM on a card: learns how strongly each channel is to come through, without the host in between.
#include "cuda_module.hpp"

#include <recal/backend/cuda/available.hpp>
#include <recal/backend/cuda/stream.hpp>

int main() {
  if (!recal::cuda::available()) {
    std::printf("no CUDA card here\n");
    return 77;
  }
  const recal::cuda::Stream stream;
  return train(stream, {.n = 32, .c = 64, .h = 14, .w = 14}, 100) ? 0 : 1;
}
