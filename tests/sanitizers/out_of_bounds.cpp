// SPDX-License-Identifier: Apache-2.0
// Reads behind the last plane of a tensor.

#include <recal/core/tensor.hpp>

int main() {
  const recal::Tensor<float> x({.n = 1, .c = 2, .h = 4, .w = 4}, 1.0F);
  return x.view().plane(0, 2)[0] > 0 ? 0 : 1;
}
