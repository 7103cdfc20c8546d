// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <recal/core/shape.hpp>

namespace recal {

/// What a gate does to a plane: y = scale*x + shift.
struct Affine {
  double scale = 1;
  double shift = 0;
};

/// A gate turns `width` numbers z per plane into an affine map of the plane:
///
///   static constexpr Index width;
///   Affine open(const double* z) const;
///   void pull(const double* z, const Affine& grad, double* dz) const;    dz[0..width) assigned,
///                                                   grad = (dL/dscale, dL/dshift)
template <class G>
concept Gate = requires(const G gate, const double* z, double* dz, Affine grad) {
  { G::width } -> std::convertible_to<Index>;
  requires G::width >
  0;
  { gate.open(z) } -> std::same_as<Affine>;
  gate.pull(z, grad, dz);
};

}  // namespace recal
