// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/host_run/kernel_elements.hpp"

/// Barriers and shuffles that not all threads reach.
namespace recal::testing::kernels {

struct DivergentBarrier {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    ctx.store(y + element(ctx), ctx.load(x + element(ctx)));
    if (!faulty || ctx.thread() < 5) ctx.barrier();
  }
};

struct EarlyReturn {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    if (faulty && ctx.thread() >= 100) return;
    ctx.barrier();
    ctx.store(y + element(ctx), ctx.load(x + element(ctx)));
  }
};

/// Every thread passes two barriers, but not the same.
struct TwoBranchesWithABarrier {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    if (faulty && ctx.thread() < cuda::warp_lanes)
      ctx.barrier();
    else
      ctx.barrier();
    ctx.store(y + element(ctx), ctx.load(x + element(ctx)));
  }
};

/// One warp waits in a barrier while the others go on from shuffle to shuffle.
struct BarrierWhileOthersShuffle {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    float value = ctx.load(x + element(ctx));
    const bool waits = faulty && ctx.thread() < cuda::warp_lanes;
    if (waits) ctx.barrier();
    for (int by = 16; by > 0; by /= 2) value += ctx.shuffle_down(value, by);
    ctx.barrier();
    ctx.store(y + element(ctx), value);
  }
};

/// Half of a warp waits in a barrier while the other half shuffles.
struct BarrierInAShuffle {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    if (faulty && ctx.thread() >= 48) ctx.barrier();
    ctx.store(y + element(ctx), ctx.shuffle(ctx.load(x + element(ctx)), 7));
    ctx.barrier();
  }
};

struct PartialShuffle {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    float value = ctx.load(x + element(ctx));
    if (!faulty || ctx.thread() != 40) value = ctx.shuffle(value, 3);
    ctx.store(y + element(ctx), value);
  }
};

struct DifferentShuffles {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const float value = ctx.load(x + element(ctx));
    const float other = faulty && ctx.thread() % 2 == 1 ? ctx.shuffle(value, 0) : ctx.shuffle_down(value, 1);
    ctx.store(y + element(ctx), other);
  }
};

struct ShuffleOfNoLane {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    ctx.store(y + element(ctx), ctx.shuffle(ctx.load(x + element(ctx)), faulty ? 32 : 31));
  }
};

}  // namespace recal::testing::kernels
