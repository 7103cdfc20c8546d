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
/// Optional, for many planes at once, the results those of open and pull to the last few digits whatever the planes
/// beside: open_rows(Index count, const double* z, Affine* gates) const and
/// pull_rows(Index count, const double* z, const Affine* grad, double* dz) const.
template <class G>
concept Gate = requires(const G gate, const double* z, double* dz, Affine grad) {
  { G::width } -> std::convertible_to<Index>;
  requires G::width >
  0;
  { gate.open(z) } -> std::same_as<Affine>;
  gate.pull(z, grad, dz);
};

/// gates[i] = open(z of row i) of `count` rows.
template <Gate G>
void open_rows(const G& gate, Index count, const double* z, Affine* gates) {
  if constexpr (requires { gate.open_rows(count, z, gates); })
    gate.open_rows(count, z, gates);
  else
    for (Index i = 0; i < count; ++i) gates[i] = gate.open(z + i * G::width);
}

/// pull of `count` rows.
template <Gate G>
void pull_rows(const G& gate, Index count, const double* z, const Affine* grad, double* dz) {
  if constexpr (requires { gate.pull_rows(count, z, grad, dz); })
    gate.pull_rows(count, z, grad, dz);
  else
    for (Index i = 0; i < count; ++i) gate.pull(z + i * G::width, grad[i], dz + i * G::width);
}

}  // namespace recal
