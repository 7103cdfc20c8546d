// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include <recal/backend/cuda/context.hpp>
#include <recal/core/host_device.hpp>
#include <recal/core/scalar.hpp>

namespace recal::testing::ptx::sample {

/// out[block] = the sum of the block's `each` numbers, through shuffles and one row of shared memory.
struct BlockSum {
  const float* in;
  double* out;
  int each;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const auto warps = ctx.template shared<double>(0, ctx.threads() / cuda::warp_lanes);
    double sum = 0;
    const float* row = in + ctx.block() * each;
    for (int i = ctx.thread(); i < each; i += ctx.threads()) sum += static_cast<double>(ctx.load(row + i));
    for (int by = cuda::warp_lanes / 2; by > 0; by /= 2) sum += ctx.shuffle_down(sum, by);
    if (ctx.thread() % cuda::warp_lanes == 0) warps.set(ctx.thread() / cuda::warp_lanes, sum);
    ctx.barrier();
    if (ctx.thread() != 0) return;
    double total = 0;
    for (int warp = 0; warp < ctx.threads() / cuda::warp_lanes; ++warp) total += warps.get(warp);
    ctx.store(out + ctx.block(), total);
  }
};

/// out = factor * in, 16 bytes at a time.
template <class T>
struct Scale {
  const T* in;
  T* out;
  Index size;
  float factor;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    constexpr int lanes = 16 / sizeof(T);
    using Pack = cuda::Vector<T, lanes>;
    const Index step = ctx.blocks() * ctx.threads();
    const Index thread = ctx.block() * ctx.threads() + ctx.thread();
    for (Index i = thread; i < size / lanes; i += step) {
      Pack pack = ctx.load(reinterpret_cast<const Pack*>(in) + i);
      for (int l = 0; l < lanes; ++l) pack.lane[l] = T(static_cast<float>(pack.lane[l]) * factor);
      ctx.store(reinterpret_cast<Pack*>(out) + i, pack);
    }
    for (Index i = size / lanes * lanes + thread; i < size; i += step)
      ctx.store(out + i, T(static_cast<float>(ctx.load(in + i)) * factor));
  }
};

/// out = exp(in) / sqrt(1 + in^2) + tanh(in) and, in float, a sigmoid.
template <class T>
struct Transcendental {
  const T* in;
  T* out;
  int size;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const Index i = ctx.block() * ctx.threads() + ctx.thread();
    if (i >= size) return;
    const T x = ctx.load(in + i);
    const T one = 1;
    ctx.store(out + i, std::exp(x) / std::sqrt(one + x * x) + std::tanh(x) + one / (one + std::exp(-x)));
  }
};

/// out[i] = i / divisor + i % divisor, in 32 and in 64 bits.
struct Divide {
  std::int64_t* out;
  std::int64_t wide;
  int divisor;
  int size;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const auto i = static_cast<int>(ctx.block()) * ctx.threads() + ctx.thread();
    if (i >= size) return;
    const int narrow = i / divisor * 3 + i % divisor;
    const std::int64_t large = (i - 7) * wide;
    ctx.store(out + i, narrow + large / (divisor * std::int64_t{65537}) + large % (wide + 1) + i / 7);
  }
};

}  // namespace recal::testing::ptx::sample
