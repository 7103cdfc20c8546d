// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/host_run/kernel_elements.hpp"

/// Accesses to memory that is not there, not aligned or not written.
namespace recal::testing::kernels {

struct OffByOneRead {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    ctx.store(y + element(ctx), ctx.load(x + element(ctx) + (faulty ? 1 : 0)));
  }
};

struct OffByOneWrite {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    ctx.store(y + element(ctx) - (faulty ? 1 : 0), ctx.load(x + element(ctx)));
  }
};

/// The last vector reaches past the end.
struct VectorPastTheEnd {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    using Pair = cuda::Vector<double, 2>;  // where x ends in the middle of one
    const Index last = ctx.blocks() * ctx.threads() / 4 - (faulty ? 0 : 1);
    const Pair pair = ctx.load(reinterpret_cast<const Pair*>(x) + last);
    ctx.store(y + element(ctx), static_cast<float>(pair.lane[0]));
  }
};

struct MisalignedVector {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    using Four = cuda::Vector<float, 4>;
    const Four four = ctx.load(reinterpret_cast<const Four*>(x + ctx.thread() / 8 * 4 + (faulty ? 1 : 0)));
    ctx.store(y + element(ctx), four.lane[0]);
  }
};

struct UninitialisedShared {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<float>(0, ctx.threads());
    if (!faulty || ctx.thread() != 77) shared.set(ctx.thread(), ctx.load(x + element(ctx)));
    ctx.store(y + element(ctx), shared.get(ctx.thread()));
  }
};

struct SharedIndexBeyond {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<float>(0, ctx.threads());
    shared.set(ctx.thread() + (faulty ? 1 : 0), ctx.load(x + element(ctx)));
    ctx.store(y + element(ctx), 0.0F);
  }
};

struct SharedTooSmall {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<float>(0, ctx.threads() + (faulty ? 1 : 0));
    shared.set(ctx.thread(), ctx.load(x + element(ctx)));
    ctx.store(y + element(ctx), shared.get(ctx.thread()));
  }
};

struct MisalignedShared {
  bool faulty;
  const float* x;
  float* y;
  template <class Context>
  void operator()(const Context& ctx) const {
    const auto shared = ctx.template shared<double>(faulty ? 4 : 8, ctx.threads() / 4);
    if (ctx.thread() == 0) shared.set(0, 1.0);
    ctx.store(y + element(ctx), ctx.load(x + element(ctx)));
  }
};

}  // namespace recal::testing::kernels
