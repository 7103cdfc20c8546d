// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <doctest/doctest.h>

#include <recal/gate/hard_sigmoid.hpp>
#include <recal/gate/one_plus_tanh.hpp>
#include <recal/gate/residual_affine.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/channel_band.hpp>
#include <recal/integrate/channel_context.hpp>
#include <recal/integrate/channel_norm.hpp>
#include <recal/integrate/channel_wise.hpp>
#include <recal/integrate/identity.hpp>
#include <recal/integrate/mlp.hpp>
#include <recal/integrate/rectify.hpp>
#include <recal/integrate/response_norm.hpp>
#include <recal/integrate/then.hpp>
#include <recal/recalibrate.hpp>
#include <recal/testing/gradient_check.hpp>

#include "tests/support/noise_tensor.hpp"

namespace recal::testing {

inline constexpr Shape combination_shape{3, 4, 3, 2};

template <class P, class I, class G>
void check_combination(P pool, I integrate, G gate) {
  Recalibrate<P, I, G> module(combination_shape.c, pool, std::move(integrate), gate);
  stir_parameters(module, 11, 0.4);
  const auto report = gradient_check(module, combination_shape);
  CHECK_MESSAGE(report.good, __PRETTY_FUNCTION__, ": ", report.text);
}

/// One integration with every gate of its width.
template <class P, class I>
void check_gates(P pool, const I& integrate) {
  if constexpr (I::out == 1) {
    check_combination(pool, integrate, Sigmoid{});
    check_combination(pool, integrate, HardSigmoid{.slope = 0.05, .offset = 0.5});
    check_combination(pool, integrate, OnePlusTanh{});
  } else {
    check_combination(pool, integrate, ResidualAffine{});
  }
}

/// A pool of one number per plane with every integration and every gate.
template <class P>
void check_pool_of_one(P pool) {
  const Index c = combination_shape.c;
  check_gates(pool, Identity{});
  check_gates(pool, Rectify{});
  check_gates(pool, ChannelWise<double, 1>(c));
  check_gates(pool, ChannelNorm<double>(c));
  check_gates(pool,
              Then<ChannelWise<double, 1>, ChannelNorm<double>>{ChannelWise<double, 1>(c), ChannelNorm<double>(c)});
  check_gates(pool, Mlp<double>(c, 3));
  check_gates(pool, ChannelBand<double>(3));
  check_gates(pool, ChannelContext<double>(c));
  check_gates(pool, ResponseNorm<double>(c));
}

}  // namespace recal::testing
