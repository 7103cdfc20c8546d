// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/channel_band.hpp>
#include <recal/pool/mean.hpp>
#include <recal/recalibrate.hpp>

namespace recal {

/// Efficient channel attention: one odd filter over the channel means.
///   t = mean(x),   z = w * t over channels (zeros outside),   y = sigmoid(z) x
/// Parameter: conv.weight (1, 1, k), k from C unless given.
/// source: Wang et al., "ECA-Net: Efficient Channel Attention for Deep CNNs", CVPR 2020
template <class T = float>
class Eca : public Recalibrate<Mean, ChannelBand<T>, Sigmoid> {
  using Base = Recalibrate<Mean, ChannelBand<T>, Sigmoid>;

 public:
  explicit Eca(Index channels) : Eca(channels, ChannelBand<T>::width_for(channels)) {}

  /// errors: an even or non-positive width
  Eca(Index channels, Index width) : Base(channels, Mean{}, ChannelBand<T>(width)) {}
};

}  // namespace recal
