// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Marks a function that runs on the processor and, where nvcc compiles it, on the device too. Nothing to other
/// compilers. What a pool's start, add, merge, finish and pull and a gate's open and pull need to run on CUDA.
#if defined(__CUDACC__)
#define RECAL_HOST_DEVICE __host__ __device__
#else
#define RECAL_HOST_DEVICE
#endif
