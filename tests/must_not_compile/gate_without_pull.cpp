// SPDX-License-Identifier: Apache-2.0
// expected: recal: the third argument of Recalibrate must be a Gate: width, open and pull

#include <recal/integrate/identity.hpp>
#include <recal/pool/mean.hpp>
#include <recal/recalibrate.hpp>

struct Scale {
  static constexpr recal::Index width = 1;
  recal::Affine open(const double* z) const { return {.scale = z[0]}; }
#ifdef RECAL_PASSING
  void pull(const double*, const recal::Affine& grad, double* dz) const { dz[0] = grad.scale; }
#endif
};

recal::Recalibrate<recal::Mean, recal::Identity, Scale> module(8, {}, {});
