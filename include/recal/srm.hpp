// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/channel_norm.hpp>
#include <recal/integrate/channel_wise.hpp>
#include <recal/integrate/then.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/recalibrate.hpp>

namespace recal {

/// Style-based recalibration: each channel is scaled by what its own mean and deviation say.
///   t = (mu, sigma),   z = w0 mu + w1 sigma,   y = sigmoid(batch_norm_N(z)) x
/// Parameters: cfc (C, 2), bn.weight, bn.bias (C); none of them decays. y = 0.5 x at the start.
/// Training needs N >= 2 samples.
///
///   recal::Srm<> srm(256);
///   srm.infer(x, x);
///
/// source: Lee, Kim, Nam, "SRM: A Style-based Recalibration Module for Convolutional Neural Networks", ICCV 2019
template <class T = float>
class Srm : public Recalibrate<MeanStd, Then<ChannelWise<T, 2>, ChannelNorm<T>>, Sigmoid> {
  using Base = Recalibrate<MeanStd, Then<ChannelWise<T, 2>, ChannelNorm<T>>, Sigmoid>;

 public:
  explicit Srm(Index channels) : Base(channels, MeanStd{}, {ChannelWise<T, 2>(channels), ChannelNorm<T>(channels)}) {}
};

}  // namespace recal
