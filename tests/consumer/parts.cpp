// SPDX-License-Identifier: Apache-2.0
// Networks and files come with the same target.

#include <recal/io/safetensors.hpp>
#include <recal/nn/conv2d.hpp>

bool parts_work();
bool parts_work() { return recal::nn::Conv2d<float>(2, 3, {.kernel = 1}).weight.size() == 6; }
