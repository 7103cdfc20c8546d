// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/gate/gate.hpp>

namespace recal {

/// y = x * clamp(slope*z + offset, 0, 1). The defaults are PyTorch's relu6(z + 3)/6; ONNX's own default
/// is {.slope = 0.2, .offset = 0.5}. The gradient is 0 at and beyond the knees.
struct HardSigmoid {
  static constexpr Index width = 1;

  double slope = 1.0 / 6;
  double offset = 0.5;

  [[nodiscard]] Affine open(const double* z) const {
    const double g = slope * z[0] + offset;
    return {.scale = g < 0 ? 0 : g > 1 ? 1 : g};
  }

  void pull(const double* z, const Affine& grad, double* dz) const {
    const double g = slope * z[0] + offset;
    dz[0] = g > 0 && g < 1 ? grad.scale * slope : 0;
  }
};

}  // namespace recal
