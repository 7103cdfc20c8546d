// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/winograd_weights.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/random_tensor.hpp"

using recal::at;
using recal::Index;
using recal::cpu::WeightShape;
namespace winograd = recal::cpu::winograd;

namespace {

/// The largest error of all panels against kernels that are transformed one by one; zeros where there are none.
template <class T, class W>
double weights_error(const WeightShape& shape, bool turned) {
  const auto weight = recal::testing::random_tensor<T>("weight", {shape.groups, shape.outputs, shape.inputs, 9});
  recal::Buffer<T> memory;
  recal::cpu::WinogradWeights<T, W> weights(memory);
  turned ? weights.turn(weight.data(), shape) : weights.pack(weight.data(), shape);
  constexpr Index width = recal::cpu::Block<T>::columns;
  const Index made = turned ? shape.inputs : shape.outputs;
  const Index summed = turned ? shape.outputs : shape.inputs;
  double worst = 0;
  for (Index g = 0; g < shape.groups; ++g)
    for (Index channel = 0; channel < (made + width - 1) / width * width; ++channel)
      for (Index c = 0; c < summed; ++c) {
        winograd::Row<double, 9> kernel{};
        for (Index tap = 0; tap < 9 && channel < made; ++tap)
          at(kernel, tap) = static_cast<double>(turned ? weight(g, c, channel, 8 - tap) : weight(g, channel, c, tap));
        const auto expected = winograd::along_both<3, W::side>(kernel, typename W::FromWeight{});
        for (Index p = 0; p < W::points; ++p) {
          const double found = static_cast<double>(weights.panel(g, p, channel / width, c)[channel % width]);
          const double own = std::abs(found - at(expected, p));
          if (!(own <= worst)) worst = own;
        }
      }
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("weights are transformed for outputs and, turned, for inputs", W, winograd::Tile2x2,
                   winograd::Tile4x4) {
  for (const WeightShape& shape : {WeightShape{1, 1, 1, 9}, WeightShape{1, 40, 7, 9}, WeightShape{2, 33, 18, 9},
                                   WeightShape{1, 64, 70, 9}, WeightShape{3, 5, 4, 9}})
    for (const bool turned : {false, true}) {
      CAPTURE(shape.outputs);
      CAPTURE(turned);
      CHECK(weights_error<float, W>(shape, turned) <= 3e-7);
      CHECK(weights_error<double, W>(shape, turned) <= 1e-15);
    }
}
