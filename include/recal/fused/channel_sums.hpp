// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/backend.hpp>
#include <recal/backend/channel_block.hpp>
#include <recal/core/columns.hpp>
#include <recal/core/tensor.hpp>
#include <recal/fused/channel_walk.hpp>
#include <recal/pool/moments_sink.hpp>

namespace recal::fused {

/// One of these for each channel of a block, in columns.
template <template <class> class Item, class T>
using PerChannel = Columns<Item, T, ChannelBlock::limit>;

/// The moments of the channels of a block. Those of every plane come to keep_of(n)(i, planes, moments) on the way: of
/// the planes of sample n from the block's i-th channel on, so many, in lanes.
template <class Reducer, class Team, class T, class KeepOf>
[[nodiscard]] PerChannel<BasicChannelMoments, double> channel_moments(const Team& team, const ChannelBlock& block,
                                                                      const TensorView<const T>& x,
                                                                      const KeepOf& keep_of) {
  PerChannel<BasicChannelMoments, double> channels{};
  for (Index n = 0; n < x.shape.n; ++n) {
    const auto keep = keep_of(n);
    const auto add = [&]<class A>(Index i, Index planes, const BasicPlaneMoments<A>& plane) {
      auto channel = n == 0 ? BasicChannelMoments<A>::of(plane) : channels.template get<A>(i);
      if (n > 0) channel.add(plane);
      channels.set(i, channel);
      keep(i, planes, plane);
    };
    reduce_planes(team, Reducer{}, x.shape.plane(), block.size(), detail::moments_sink(x.shape.plane(), add),
                  x.planes(n, block.first));
  }
  return channels;
}

}  // namespace recal::fused
