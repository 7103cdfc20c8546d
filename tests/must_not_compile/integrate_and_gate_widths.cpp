// SPDX-License-Identifier: Apache-2.0
// expected: recal: Integrate::out must equal Gate::width, the numbers per plane

#include <recal/gate/residual_affine.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/response_norm.hpp>
#include <recal/pool/l2.hpp>
#include <recal/recalibrate.hpp>

#ifdef RECAL_PASSING
using Gate = recal::ResidualAffine;
#else
using Gate = recal::Sigmoid;
#endif

recal::Recalibrate<recal::L2, recal::ResponseNorm<float>, Gate> module(8);
