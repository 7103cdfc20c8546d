// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/host_device.hpp>
#include <recal/gate/gate.hpp>

namespace recal {

/// y = x + z[0]*x + z[1]: a gate with an additive part, the identity at z = 0.
/// source: Woo et al., "ConvNeXt V2", CVPR 2023, section 3.2 (GRN)
struct ResidualAffine {
  static constexpr Index width = 2;

  [[nodiscard]] RECAL_HOST_DEVICE Affine open(const double* z) const { return {.scale = 1 + z[0], .shift = z[1]}; }

  RECAL_HOST_DEVICE void pull(const double*, const Affine& grad, double* dz) const {
    dz[0] = grad.scale;
    dz[1] = grad.shift;
  }
};

}  // namespace recal
