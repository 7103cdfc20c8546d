// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <limits>

#include <recal/gate/gate.hpp>

#include "tests/support/derivative.hpp"

namespace recal::testing {

/// The scale of a gate of one number at z.
template <Gate G>
[[nodiscard]] double opened(const G& gate, double z) {
  return gate.open(&z).scale;
}

/// How far a gate's pull is from the difference quotient of 0.7 scale - 1.3 shift at z.
template <Gate G>
[[nodiscard]] double gate_gradient_error(const G& gate, std::array<double, G::width> z) {
  const Affine grad{.scale = 0.7, .shift = -1.3};
  std::array<double, G::width> dz;
  dz.fill(std::numeric_limits<double>::quiet_NaN());
  gate.pull(z.data(), grad, dz.data());
  return gradient_error(dz, z, [&] {
    const Affine opened = gate.open(z.data());
    return grad.scale * opened.scale + grad.shift * opened.shift;
  });
}

}  // namespace recal::testing
