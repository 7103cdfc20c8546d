// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/identity.hpp>
#include <recal/integrate/mlp.hpp>
#include <recal/integrate/rectify.hpp>
#include <recal/integrate/then.hpp>
#include <recal/pool/gather_depthwise.hpp>
#include <recal/pool/gather_mean.hpp>
#include <recal/recalibrate_field.hpp>

namespace recal {

/// Gather-excite without parameters: each pixel is scaled by the mean of its neighbourhood.
///   y = x sigmoid(resize(window_mean(x, extent)));   extent 0: the mean of the whole map
/// source: Hu, Shen, Albanie, Sun, Vedaldi, "Gather-Excite", NeurIPS 2018, section 3.1
template <class T = float>
class GeThetaMinus : public Recalibrate<GatherMean, Identity, Sigmoid> {
  using Base = Recalibrate<GatherMean, Identity, Sigmoid>;

 public:
  /// errors: an extent that is neither 0 nor a power of two from 2 on
  explicit GeThetaMinus(Index channels, Index extent = 0) : Base(channels, GatherMean(extent), Identity{}) {}
};

/// Gather-excite with a learned gather: depthwise convolutions, each with a batch norm.
///   y = x sigmoid(resize(gather(x)))
/// Parameters: gather.<l>.weight, gather.<l>.bn.*. Extent 0 is made for one map size.
/// source: as above, section 3.2
template <class T = float>
class GeTheta : public Recalibrate<GatherDepthwise<T>, Identity, Sigmoid> {
  using Base = Recalibrate<GatherDepthwise<T>, Identity, Sigmoid>;

 public:
  explicit GeTheta(Index channels, const GatherOptions& options)
      : Base(channels, GatherDepthwise<T>(channels, options), Identity{}) {}
};

/// How wide the excite of GE-theta-plus is: R = max(1, C / reduction) unless `reduced` gives it.
struct GePlusOptions {
  GatherOptions gather;
  Index reduction = 16;
  Index reduced = 0;

  /// errors: a reduction or a reduced width below 1
  [[nodiscard]] Index width(Index channels) const { return bottleneck_width("GE", channels, reduction, reduced); }
};

/// Gather-excite with a learned gather and a learned excite, an MLP over channels at every position.
///   y = x sigmoid(resize(W2 max(0, W1 max(0, gather(x)) + b1) + b2))
/// Parameters: gather.<l>.*, fc1.*, fc2.* (their biases do not decay).
/// source: as above, section 3.3
template <class T = float>
class GeThetaPlus : public Recalibrate<GatherDepthwise<T>, Then<Rectify, Mlp<T>>, Sigmoid> {
  using Base = Recalibrate<GatherDepthwise<T>, Then<Rectify, Mlp<T>>, Sigmoid>;

 public:
  explicit GeThetaPlus(Index channels, const GePlusOptions& options)
      : Base(channels, GatherDepthwise<T>(channels, options.gather),
             {Rectify{}, Mlp<T>(channels, options.width(channels), true, false, options.gather.seed)}) {}
};

}  // namespace recal
