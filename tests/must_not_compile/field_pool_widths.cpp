// SPDX-License-Identifier: Apache-2.0
// expected: recal: a field pool gives one number per position; Integrate::in, Integrate::out and Gate::width must be 1

#include <recal/gate/residual_affine.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/identity.hpp>
#include <recal/pool/gather_mean.hpp>
#include <recal/recalibrate_field.hpp>

#ifdef RECAL_PASSING
using Gate = recal::Sigmoid;
#else
using Gate = recal::ResidualAffine;
#endif

recal::Recalibrate<recal::GatherMean, recal::Identity, Gate> module(8, recal::GatherMean(2), {});
