// SPDX-License-Identifier: Apache-2.0
// What a user's first program looks like: recalibrates a buffer in place.

#include <cstddef>
#include <cstdio>
#include <vector>

#include <recal/srm.hpp>

int main() {
  std::vector<float> buffer(2 * 4 * 3 * 3);
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<float>(i) - 30.0F;
  const std::vector<float> before = buffer;

  const recal::Srm<> srm(4);
  const recal::TensorView<float> x{buffer.data(), {.n = 2, .c = 4, .h = 3, .w = 3}};
  srm.infer(x, x);

  // The weights start at zero, so every gate starts at sigmoid(0) = 1/2.
  for (std::size_t i = 0; i < buffer.size(); ++i) {
    if (buffer[i] != 0.5F * before[i]) {
      std::printf("element %zu is %g, expected %g\n", i, static_cast<double>(buffer[i]),
                  0.5 * static_cast<double>(before[i]));
      return 1;
    }
  }
  std::printf("ok, on %d thread(s)\n", recal::thread_count());
  return 0;
}
