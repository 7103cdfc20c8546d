// SPDX-License-Identifier: Apache-2.0
// What recal::nn and recal::io add is there.

#include <recal/io/safetensors.hpp>
#include <recal/nn/conv2d.hpp>

bool parts_work();
bool parts_work() { return recal::nn::Conv2d<float>(2, 3, {.kernel = 1}).weight.size() == 6; }
