// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/gate/one_plus_tanh.hpp>
#include <recal/integrate/channel_context.hpp>
#include <recal/pool/l2.hpp>
#include <recal/recalibrate.hpp>

namespace recal {

/// Gated channel transformation: channels compete through their norms.
///   t = sqrt(sum x^2 + eps),   e = alpha t,   z = gamma e / sqrt(mean_c e^2 + eps) + beta,   y = (1 + tanh z) x
/// Parameters: alpha, gamma, beta (C). The identity at the start. eps = 1e-5.
/// source: Yang et al., "Gated Channel Transformation for Visual Recognition", CVPR 2020
template <class T = float>
class Gct : public Recalibrate<L2, ChannelContext<T>, OnePlusTanh> {
  using Base = Recalibrate<L2, ChannelContext<T>, OnePlusTanh>;

 public:
  explicit Gct(Index channels) : Base(channels, L2{.eps = 1e-5}, ChannelContext<T>(channels)) {}
};

}  // namespace recal
