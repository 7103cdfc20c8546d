// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <recal/core/for_each_lanes.hpp>
#include <recal/core/shape.hpp>

namespace recal::detail {

/// The step from one sample's row to the next where there is one channel.
using OneChannel = std::integral_constant<Index, 1>;

/// f(i, a, step) on the channels of a block whose rows lie sample by sample, `step` rows from a channel's row to its
/// next one: a is a number of the type that holds one of channel i, or of as many channels from i on as a pack of
/// doubles has lanes.
template <class F>
void for_each_channel_lanes(Index channels, const F& f) {
  if (channels == 1) return f(Index{0}, double{}, OneChannel{});
  for_each_lanes(channels, [&](Index i, auto lanes) { f(i, lanes, channels); });
}

}  // namespace recal::detail
