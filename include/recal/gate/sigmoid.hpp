// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/core/host_device.hpp>
#include <recal/gate/exponential_rows.hpp>
#include <recal/gate/gate.hpp>

namespace recal {

/// y = x / (1 + exp(-z)). Saturates to 0 and 1 without overflow.
struct Sigmoid {
  static constexpr Index width = 1;

  [[nodiscard]] RECAL_HOST_DEVICE Affine open(const double* z) const { return {.scale = 1 / (1 + std::exp(-z[0]))}; }

  /// dz = dscale * g * (1 - g), with 1 - g taken from exp(-|z|) so that it does not vanish early.
  RECAL_HOST_DEVICE void pull(const double* z, const Affine& grad, double* dz) const {
    const double e = std::exp(-std::abs(z[0]));
    dz[0] = grad.scale * e / ((1 + e) * (1 + e));
  }

  void open_rows(Index count, const double* z, Affine* gates) const {
    detail::open_exponential<Sigmoid>(count, z, gates);
  }

  void pull_rows(Index count, const double* z, const Affine* grad, double* dz) const {
    detail::pull_exponential<Sigmoid>(count, z, grad, dz);
  }

  /// The scale of the gate and its gradient on packs, from e = exp(-rate |z|).
  static constexpr double rate = 1;
  template <class P>
  [[nodiscard]] static P scale(P z, P e) {
    return choose_positive(z, P(1), e) / (P(1) + e);
  }
  template <class P>
  [[nodiscard]] static P pull(P grad, P e) {
    return grad * e / ((P(1) + e) * (P(1) + e));
  }
};

}  // namespace recal
