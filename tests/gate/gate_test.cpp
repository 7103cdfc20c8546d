// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/gate/gate.hpp>
#include <recal/gate/hard_sigmoid.hpp>
#include <recal/gate/one_plus_tanh.hpp>
#include <recal/gate/residual_affine.hpp>
#include <recal/gate/sigmoid.hpp>

#include "tests/support/archetypes.hpp"

using recal::Affine;
using recal::Gate;
using recal::Index;

static_assert(Gate<recal::Sigmoid> && Gate<recal::HardSigmoid> && Gate<recal::OnePlusTanh>);
static_assert(Gate<recal::ResidualAffine> && Gate<recal::testing::LeastGate>);
static_assert(!Gate<int>);

namespace {

struct NoPull {
  static constexpr Index width = 1;
  Affine open(const double*) const { return {}; }
};
struct OpensNumbers : recal::Sigmoid {
  double open(const double*) const { return 1; }
};
struct NoWidth : recal::Sigmoid {
  static constexpr Index width = 0;
};
static_assert(!Gate<NoPull> && !Gate<OpensNumbers> && !Gate<NoWidth>);

}  // namespace

TEST_CASE("an affine map is the identity unless told") {
  constexpr Affine map;
  CHECK(map.scale == 1);
  CHECK(map.shift == 0);
}
