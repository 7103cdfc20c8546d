// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/gate/exponential_rows.hpp>
#include <recal/gate/hard_sigmoid.hpp>
#include <recal/gate/one_plus_tanh.hpp>
#include <recal/gate/sigmoid.hpp>

#include "tests/support/noise.hpp"

using recal::Affine;
using recal::Index;

namespace {

/// Whether rows of any number give the gates and gradients of open and pull, and the same bits in any company.
template <class G>
bool equals_one_by_one(const G& gate, const recal::Buffer<double>& z) {
  const auto count = static_cast<Index>(z.size());
  std::vector<Affine> all(z.size());
  std::vector<Affine> grad(z.size(), Affine{.scale = 1.5, .shift = 0});
  std::vector<double> pulled(z.size());
  recal::open_rows(gate, count, z.data(), all.data());
  recal::pull_rows(gate, count, z.data(), grad.data(), pulled.data());
  for (std::size_t i = 0; i < z.size(); ++i) {
    Affine own;
    double own_pull = 0;
    recal::open_rows(gate, 1, &z[i], &own);
    recal::pull_rows(gate, 1, &z[i], &grad[i], &own_pull);
    double expected = 0;
    gate.pull(&z[i], grad[i], &expected);
    const double scale = gate.open(&z[i]).scale;
    if (own.scale != all[i].scale || own_pull != pulled[i] || all[i].shift != 0) return false;
    if (!(std::abs(own.scale - scale) <= 1e-15)) return false;
    if (!(std::abs(own_pull - expected) <= 1e-15)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("rows give the same gates as one by one, to the last digits") {
  for (Index count = 0; count <= 21; ++count) {
    const auto z = recal::testing::noise("z", count, -6, 6);
    CHECK(equals_one_by_one(recal::Sigmoid{}, z));
    CHECK(equals_one_by_one(recal::OnePlusTanh{}, z));
    CHECK(equals_one_by_one(recal::HardSigmoid{}, z));
  }
}

TEST_CASE("they saturate as the gates do, and NaN stays NaN") {
  const std::vector<double> z{-1e9, -800, -40, -0.0, 0, 40, 800, 1e9, std::numeric_limits<double>::quiet_NaN()};
  const auto count = static_cast<Index>(z.size());
  std::vector<Affine> gates(z.size());
  recal::Sigmoid{}.open_rows(count, z.data(), gates.data());
  CHECK(gates[0].scale == 0);
  CHECK(gates[1].scale == 0);
  CHECK(gates[2].scale == doctest::Approx(std::exp(-40)).epsilon(1e-14));
  CHECK(gates[3].scale == 0.5);
  CHECK(gates[4].scale == 0.5);
  CHECK(gates[6].scale == 1);
  CHECK(gates[7].scale == 1);
  CHECK(std::isnan(gates[8].scale));
  recal::OnePlusTanh{}.open_rows(count, z.data(), gates.data());
  CHECK(gates[0].scale == 0);
  CHECK(gates[4].scale == 1);
  CHECK(gates[7].scale == 2);
  CHECK(std::isnan(gates[8].scale));
}
