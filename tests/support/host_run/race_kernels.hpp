// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tests/support/host_run/kernel_elements.hpp"

/// Accesses to memory that nothing orders.
namespace recal::testing::kernels {

struct DroppedBarrier {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<float>(0, ctx.threads());
    shared.set(ctx.thread(), 0.0F);
    ctx.barrier();
    shared.set(ctx.thread(), ctx.load(x + element(ctx)));
    if (!faulty) ctx.barrier();
    ctx.store(y + element(ctx), shared.get(partner(ctx)));
  }
};

struct WriteAfterRead {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<float>(0, ctx.threads());
    shared.set(ctx.thread(), ctx.load(x + element(ctx)));
    ctx.barrier();
    const float other = shared.get(partner(ctx));
    if (!faulty) ctx.barrier();
    shared.set(ctx.thread(), other);
    ctx.store(y + element(ctx), other);
  }
};

struct WriteAfterWrite {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<float>(0, ctx.threads());
    shared.set(ctx.thread(), 0.0F);
    if (!faulty) ctx.barrier();
    shared.set(partner(ctx), ctx.load(x + element(ctx)));
    ctx.barrier();
    ctx.store(y + element(ctx), shared.get(ctx.thread()));
  }
};

/// A shuffle keeps the lanes of a warp together, but does not order what they write.
struct ShuffleForBarrier {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<float>(0, ctx.threads());
    shared.set(ctx.thread(), 0.0F);
    ctx.barrier();
    shared.set(ctx.thread(), ctx.load(x + element(ctx)));
    const float first = ctx.shuffle(1.0F, 0);
    if (!faulty) ctx.barrier();
    ctx.store(y + element(ctx), first * shared.get(ctx.thread() ^ 1));
  }
};

struct GlobalWithoutBarrier {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    ctx.store(y + element(ctx), ctx.load(x + element(ctx)));
    if (!faulty) ctx.barrier();
    const float other = ctx.load(y + ctx.block() * ctx.threads() + partner(ctx));
    ctx.barrier();
    ctx.store(y + element(ctx), other);
  }
};

struct TwoThreadsWriteOnePlace {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    ctx.store(y + element(ctx) / (faulty ? 2 : 1), ctx.load(x + element(ctx)));
  }
};

struct TwoBlocksWriteOnePlace {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    ctx.store(y + (faulty ? ctx.thread() : element(ctx)), ctx.load(x + element(ctx)));
  }
};

/// Blocks read each other's elements, or their own.
struct BlockReadsWhatAnotherWrites {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const Index last = ctx.blocks() * ctx.threads() - 1;
    const float old = ctx.load(y + (faulty ? last - element(ctx) : element(ctx)));
    ctx.barrier();
    ctx.store(y + element(ctx), old + ctx.load(x + element(ctx)));
  }
};

/// Every block reads what block 1 writes, that one too; or block 1 writes something else.
struct BlockWritesWhatAllRead {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const float old = ctx.load(y + ctx.thread());
    if (ctx.block() == 1) ctx.store(y + (faulty ? ctx.thread() : element(ctx)), old + ctx.load(x + element(ctx)));
  }
};

/// One thread writes what all have read, itself included.
struct WriteAfterAllRead {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<float>(0, 1);
    if (ctx.thread() == 0) shared.set(0, ctx.load(x + element(ctx)));
    ctx.barrier();
    ctx.store(y + element(ctx), shared.get(0));
    if (!faulty) ctx.barrier();
    if (partner(ctx) == 0) shared.set(0, 1.0F);
  }
};

/// The last thread of the last block reads half of a word that the first one wrote.
struct HalfOfAWord {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    ctx.store(y + element(ctx), ctx.load(x + element(ctx)));
    if (!faulty) ctx.barrier();
    const float* first = y + ctx.block() * ctx.threads();
    const bool last = element(ctx) == ctx.blocks() * ctx.threads() - 1;
    if (last) (void)ctx.load(reinterpret_cast<const std::uint16_t*>(first) + 1);
  }
};

}  // namespace recal::testing::kernels
