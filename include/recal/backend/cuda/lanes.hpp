// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/context.hpp>

namespace recal::cuda {

/// Threads that work through the rows of one group together: lane i takes the rows i, i + lanes(), ...
/// What an integration sees of them: lane(), lanes(), sync(), sum(), load() and store().

/// One warp. Nothing is exchanged through memory but by sum(): a row is one lane's from beginning to end.
template <class Context>
struct WarpLanes {
  const Context& ctx;

  [[nodiscard]] RECAL_HOST_DEVICE int lane() const { return ctx.thread() % warp_lanes; }
  [[nodiscard]] RECAL_HOST_DEVICE int lanes() const { return warp_lanes; }
  RECAL_HOST_DEVICE void sync() const {}

  /// The sum over all lanes, in a fixed order; every lane gets it.
  [[nodiscard]] RECAL_HOST_DEVICE double sum(double value) const {
    for (int by = warp_lanes / 2; by > 0; by /= 2) value += ctx.shuffle_down(value, by);
    return ctx.shuffle(value, 0);
  }

  template <class T>
  [[nodiscard]] RECAL_HOST_DEVICE T load(const T* from) const {
    return ctx.load(from);
  }
  template <class T>
  RECAL_HOST_DEVICE void store(T* to, T value) const {
    ctx.store(to, value);
  }
};

/// A whole block. sync() makes what one lane stored visible to the others.
template <class Context>
struct BlockLanes {
  static constexpr int shared_bytes = warp_lanes * static_cast<int>(sizeof(double));

  const Context& ctx;

  [[nodiscard]] RECAL_HOST_DEVICE int lane() const { return ctx.thread(); }
  [[nodiscard]] RECAL_HOST_DEVICE int lanes() const { return ctx.threads(); }
  RECAL_HOST_DEVICE void sync() const { ctx.barrier(); }

  /// The sum over the lanes of the caller's warp alone.
  [[nodiscard]] RECAL_HOST_DEVICE double warp_sum(double value) const { return WarpLanes<Context>{ctx}.sum(value); }

  [[nodiscard]] RECAL_HOST_DEVICE double sum(double value) const {
    const int warps = ctx.threads() / warp_lanes;
    const double own = warp_sum(value);
    if (warps == 1) return own;
    const auto shared = ctx.template shared<double>(0, warps);
    if (ctx.thread() % warp_lanes == 0) shared.set(ctx.thread() / warp_lanes, own);
    ctx.barrier();
    double total = 0;
    for (int w = 0; w < warps; ++w) total += shared.get(w);
    ctx.barrier();
    return total;
  }

  template <class T>
  [[nodiscard]] RECAL_HOST_DEVICE T load(const T* from) const {
    return ctx.load(from);
  }
  template <class T>
  RECAL_HOST_DEVICE void store(T* to, T value) const {
    ctx.store(to, value);
  }
};

}  // namespace recal::cuda
