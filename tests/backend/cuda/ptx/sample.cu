// SPDX-License-Identifier: Apache-2.0
#include "sample_kernels.hpp"

namespace recal::cuda {

using namespace testing::ptx;

template __global__ void entry(const sample::BlockSum);
template __global__ void entry(const sample::Scale<float>);
template __global__ void entry(const sample::Scale<double>);
template __global__ void entry(const sample::Scale<half>);
template __global__ void entry(const sample::Scale<bfloat16>);
template __global__ void entry(const sample::Transcendental<float>);
template __global__ void entry(const sample::Transcendental<double>);
template __global__ void entry(const sample::Divide);

}  // namespace recal::cuda
