// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/core/host_device.hpp>
#include <recal/gate/exponential_rows.hpp>
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

  void open_rows(Index count, const double* z, Affine* gates) const {
    detail::open_exponential<OnePlusTanh>(count, z, gates);
  }

  void pull_rows(Index count, const double* z, const Affine* grad, double* dz) const {
    detail::pull_exponential<OnePlusTanh>(count, z, grad, dz);
  }

  /// The scale of the gate and its gradient on packs, from e = exp(-rate |z|).
  static constexpr double rate = 2;
  template <class P>
  [[nodiscard]] static P scale(P z, P e) {
    return choose_positive(z, P(2), P(2) * e) / (P(1) + e);
  }
  template <class P>
  [[nodiscard]] static P pull(P grad, P e) {
    return P(4) * grad * e / ((P(1) + e) * (P(1) + e));
  }
};

}  // namespace recal
