// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>

namespace recal::detail {

/// f(i, a) for `count` items that lie one after the other: a is a number of the type that holds one of item i, or of as
/// many items from i on as a pack of doubles has lanes.
template <class F>
void for_each_lanes(Index count, const F& f) {
  using P = pack_for<double>;
  Index i = 0;
  for (; i + P::lanes <= count; i += P::lanes) f(i, P{});
  for (; i < count; ++i) f(i, double{});
}

}  // namespace recal::detail
