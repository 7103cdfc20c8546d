// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/host_device.hpp>
#include <recal/gate/gate.hpp>

namespace recal {

/// y = x * clamp(slope*z + offset, 0, 1). The defaults are PyTorch's relu6(z + 3)/6; ONNX's own default
/// is {.slope = 0.2, .offset = 0.5}. The gradient is 0 at and beyond the knees.
struct HardSigmoid {
  static constexpr Index width = 1;

  double slope = 1.0 / 6;
  double offset = 0.5;

  [[nodiscard]] RECAL_HOST_DEVICE Affine open(const double* z) const {
    return {.scale = z[0] <= lower() ? 0 : z[0] >= upper() ? 1 : slope * z[0] + offset};
  }

  RECAL_HOST_DEVICE void pull(const double* z, const Affine& grad, double* dz) const {
    dz[0] = z[0] > lower() && z[0] < upper() ? grad.scale * slope : 0;
  }

 private:
  // The knees on the side of z, where rounding of slope*z does not move them.
  [[nodiscard]] RECAL_HOST_DEVICE double lower() const { return -offset / slope; }
  [[nodiscard]] RECAL_HOST_DEVICE double upper() const { return (1 - offset) / slope; }
};

}  // namespace recal
