// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/field/gather_depthwise.hpp>
#include <recal/backend/cuda/field/gather_mean.hpp>
#include <recal/backend/cuda/field/recalibrate_field.hpp>
#include <recal/backend/cuda/integrate/identity.hpp>
#include <recal/backend/cuda/integrate/mlp.hpp>
#include <recal/backend/cuda/integrate/rectify.hpp>
#include <recal/backend/cuda/integrate/then.hpp>
#include <recal/gate/sigmoid.hpp>

namespace recal::cuda {

/// Gather-excite with extents and parameters on a device: what recal/ge.hpp says of its twins on the host. Parameters
/// start at 0, those of batch norms as the twins': copy_parameters_to_device(machine, host_module, module).

/// cost: forward 3 launches, backward 4. For extent 0, where one launch or three do with loads of 128 bits, there is
///       cuda::GlobalGeThetaMinus (modules.hpp)
class GeThetaMinus : public Recalibrate<GatherMean, Identity, Sigmoid> {
 public:
  /// errors: an extent that is neither 0 nor a power of two from 2 on
  template <Machine M>
  GeThetaMinus(const M&, Index channels, Index extent) : Recalibrate(channels, GatherMean(extent), Identity{}) {}
};

/// cost: with L levels (1 for extent 0) forward 2L + 2 launches, backward 3L + 2
class GeTheta : public Recalibrate<GatherDepthwise, Identity, Sigmoid> {
 public:
  template <Machine M>
  GeTheta(const M& machine, Index channels, const GatherOptions& options)
      : Recalibrate(channels, GatherDepthwise(machine, channels, options), Identity{}) {}
};

/// cost: with L levels forward 2L + 4 launches, backward 3L + 5. A gradient of the excite's matrices is one thread's,
/// who
///       goes through all positions of all samples: slow where maps are large and channels few
class GeThetaPlus : public Recalibrate<GatherDepthwise, Then<Rectify, Mlp>, Sigmoid> {
 public:
  /// `reduced`: the width of the excite, GePlusOptions::width() of the twin
  template <Machine M>
  GeThetaPlus(const M& machine, Index channels, const GatherOptions& options, Index reduced)
      : Recalibrate(channels, GatherDepthwise(machine, channels, options),
                    {Rectify{}, Mlp(machine, channels, reduced, true, false)}) {}
};

}  // namespace recal::cuda
