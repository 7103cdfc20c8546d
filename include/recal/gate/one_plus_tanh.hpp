// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/core/host_device.hpp>
#include <recal/gate/gate.hpp>

namespace recal {

/// y = x * (1 + tanh z): the identity at z = 0, between 0 and 2.
/// source: Yang et al., "Gated Channel Transformation", CVPR 2020, section 3.3
struct OnePlusTanh {
  static constexpr Index width = 1;

  [[nodiscard]] RECAL_HOST_DEVICE Affine open(const double* z) const { return {.scale = 1 + std::tanh(z[0])}; }

  RECAL_HOST_DEVICE void pull(const double* z, const Affine& grad, double* dz) const {
    const double t = std::tanh(z[0]);
    dz[0] = grad.scale * (1 - t * t);
  }
};

}  // namespace recal
