// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/context.hpp>

/// Kernels for the checks of the host run. They keep the rules unless `faulty`, which changes nothing but the one thing
/// that their name tells. They read x and write y, one element a thread, where nothing else is said.
namespace recal::testing::kernels {

template <class Context>
[[nodiscard]] Index element(const Context& ctx) {
  return ctx.block() * ctx.threads() + ctx.thread();
}

/// The thread whose element a thread takes where they exchange some: one of another warp.
template <class Context>
[[nodiscard]] int partner(const Context& ctx) {
  return ctx.threads() - 1 - ctx.thread();
}

}  // namespace recal::testing::kernels
