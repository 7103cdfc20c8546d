// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/integrate/channel_band.hpp>
#include <recal/backend/cuda/integrate/channel_context.hpp>
#include <recal/backend/cuda/integrate/channel_norm.hpp>
#include <recal/backend/cuda/integrate/channel_wise.hpp>
#include <recal/backend/cuda/integrate/identity.hpp>
#include <recal/backend/cuda/integrate/mlp.hpp>
#include <recal/backend/cuda/integrate/response_norm.hpp>
#include <recal/backend/cuda/integrate/then.hpp>
#include <recal/backend/cuda/recalibrate.hpp>
#include <recal/gate/one_plus_tanh.hpp>
#include <recal/gate/residual_affine.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/pool/l2.hpp>
#include <recal/pool/mean.hpp>
#include <recal/pool/mean_std.hpp>

namespace recal::cuda {

/// The named modules on a device: what recal/srm.hpp, se.hpp, eca.hpp, gct.hpp, grn.hpp and ge.hpp (global extent,
/// without parameters) say of their twins on the host. Parameters start as the twins' do where those are constants,
/// and at 0 where they are random: copy_parameters_to_device(machine, host_module, module) brings them over.

class Srm : public Recalibrate<MeanStd, Then<ChannelWise<2>, ChannelNorm>, Sigmoid> {
 public:
  template <Machine M>
  Srm(const M& machine, Index channels)
      : Recalibrate(channels, MeanStd{}, {ChannelWise<2>(machine, channels), ChannelNorm(machine, channels)}) {}
};

template <class G = Sigmoid>
class Se : public Recalibrate<Mean, Mlp, G> {
 public:
  /// `reduced`: the width of the bottleneck, SeOptions::width() of the twin
  template <Machine M>
  Se(const M& machine, Index channels, Index reduced, bool biased = true)
      : Recalibrate<Mean, Mlp, G>(channels, Mean{}, Mlp(machine, channels, reduced, biased)) {}
};

class GlobalGeThetaMinus : public Recalibrate<Mean, Identity, Sigmoid> {
 public:
  template <Machine M>
  GlobalGeThetaMinus(const M&, Index channels) : Recalibrate(channels, Mean{}, Identity{}) {}
};

class Eca : public Recalibrate<Mean, ChannelBand, Sigmoid> {
 public:
  template <Machine M>
  Eca(const M& machine, Index channels, Index width) : Recalibrate(channels, Mean{}, ChannelBand(machine, width)) {}
};

class Gct : public Recalibrate<L2, ChannelContext, OnePlusTanh> {
 public:
  template <Machine M>
  Gct(const M& machine, Index channels) : Recalibrate(channels, L2{.eps = 1e-5}, ChannelContext(machine, channels)) {}
};

class Grn : public Recalibrate<L2, ResponseNorm, ResidualAffine> {
 public:
  template <Machine M>
  Grn(const M& machine, Index channels) : Recalibrate(channels, L2{}, ResponseNorm(machine, channels)) {}
};

}  // namespace recal::cuda
