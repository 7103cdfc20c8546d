// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/gate/sigmoid.hpp>
#include <recal/integrate/identity.hpp>
#include <recal/pool/mean.hpp>
#include <recal/recalibrate_passes.hpp>

#include "tests/support/random_tensor.hpp"

using namespace recal;
using testing::random_tensor;

namespace {

constexpr Shape small{3, 5, 4, 7};

struct Tape : RowTape {
  Identity::Tape integrate;
};

/// sigmoid of the mean of every plane, in the order of planes
std::vector<double> gates_of(const Tensor<double>& x) {
  std::vector<double> gates;
  for (Index n = 0; n < small.n; ++n)
    for (Index c = 0; c < small.c; ++c) {
      double sum = 0;
      for (Index k = 0; k < small.plane(); ++k) sum += x.view().plane(n, c)[k];
      gates.push_back(1 / (1 + std::exp(-sum / static_cast<double>(small.plane()))));
    }
  return gates;
}

template <class B>
void check_passes(const B& backend) {
  Identity integrate;
  const auto x = random_tensor<double>("x", small);
  const auto dy = random_tensor<double>("dy", small);
  const auto gates = gates_of(x);
  std::vector<double> used(gates.size(), 0.0);
  detail::infer_planes(backend, Mean{}, integrate, Sigmoid{}, x.view(), x.view(),
                       [&](const auto&, const PlaneRun& run, const auto& of_planes) {
                         for (Index i = 0; i < run.size(); ++i)
                           at(used, run.n * small.c + run.first + i) += of_planes[i].scale;
                       });
  Tensor<double> y(small);
  Tensor<double> dx(small);
  Tape tape;
  tape.shape = small;
  tape.cover(0, small.n * small.c, 1, 1);
  detail::forward_planes(backend, Mean{}, integrate, Sigmoid{}, x.view(), y.view(), tape);
  detail::backward_planes(backend, Mean{}, integrate, Sigmoid{}, x.view(), dy.view(), dx.view(), tape);
  for (std::size_t p = 0; p < gates.size(); ++p) {
    CHECK(used[p] == doctest::Approx(gates[p]).epsilon(1e-12));  // once
    const auto first = static_cast<Index>(p) * small.plane();
    double product = 0;
    for (Index k = first; k < first + small.plane(); ++k) product += dy.data()[k] * x.data()[k];
    const double along = product * gates[p] * (1 - gates[p]) / static_cast<double>(small.plane());
    for (Index k = first; k < first + small.plane(); ++k) {
      CHECK(y.data()[k] == doctest::Approx(gates[p] * x.data()[k]).epsilon(1e-12));
      CHECK(std::abs(dx.data()[k] - (gates[p] * dy.data()[k] + along)) <= 1e-12);
    }
  }
}

}  // namespace

TEST_CASE("inference, forward and backward over planes are the definition's, each plane once") {
  check_passes(Cpu{});
  check_passes(Reference{});
}
