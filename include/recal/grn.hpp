// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/gate/residual_affine.hpp>
#include <recal/integrate/response_norm.hpp>
#include <recal/pool/l2.hpp>
#include <recal/recalibrate.hpp>

namespace recal {

/// Global response normalisation: a norm, divided by the mean norm of all channels.
///   t = sqrt(sum x^2),   y = x + weight x t / (mean_c t + 1e-6) + bias
/// Parameters: weight, bias (C). The identity at the start.
/// source: Woo et al., "ConvNeXt V2", CVPR 2023
template <class T = float>
class Grn : public Recalibrate<L2, ResponseNorm<T>, ResidualAffine> {
  using Base = Recalibrate<L2, ResponseNorm<T>, ResidualAffine>;

 public:
  explicit Grn(Index channels) : Base(channels, L2{}, ResponseNorm<T>(channels)) {}
};

}  // namespace recal
