// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/turned_weights.hpp>

using recal::at;
using recal::Buffer;
using recal::Index;
using recal::cpu::Left;
using recal::cpu::TurnedWeights;
using recal::cpu::WeightShape;

namespace {

/// Weights that say where they stand.
Buffer<float> numbered(const WeightShape& shape) {
  Buffer<float> weight(static_cast<std::size_t>(shape.groups * shape.outputs * shape.inputs * shape.area));
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i);
  return weight;
}

/// How many numbers of one part are not the weights of `taps`.
int wrong(const TurnedWeights<float>& turned, const WeightShape& shape, const TurnedWeights<float>::Part& part,
          const std::vector<Index>& taps) {
  constexpr Index step = recal::cpu::Block<float>::rows;
  int count = 0;
  for (Index g = 0; g < shape.groups; ++g)
    for (Index row = 0; row < shape.inputs; ++row)
      for (Index o = 0; o < shape.outputs; ++o) {
        const Left<float> left = turned.left(g, row / step * step, part, o);
        for (Index k = 0; k < part.taps; ++k) {
          const Index from = ((g * shape.outputs + o) * shape.inputs + row) * shape.area + at(taps, k);
          count += left.data[row % step * left.row_stride + k * left.depth_stride] != static_cast<float>(from);
        }
      }
  return count;
}

}  // namespace

TEST_CASE("the whole kernel is turned by half a circle") {
  TurnedWeights<float> turned;
  for (const WeightShape& shape : {WeightShape{1, 1, 1, 1}, WeightShape{1, 20, 13, 9}, WeightShape{2, 9, 12, 1},
                                   WeightShape{3, 8, 6, 4}, WeightShape{1, 17, 5, 49}}) {
    const auto weight = numbered(shape);
    turned.turn(weight.data(), shape);
    std::vector<Index> taps;
    for (Index tap = shape.area - 1; tap >= 0; --tap) taps.push_back(tap);
    CHECK(wrong(turned, shape, {0, shape.area}, taps) == 0);
    CHECK(turned.left(0, 0, 0).data == turned.left(0, 0, {0, shape.area}, 0).data);
  }
}

TEST_CASE("parts have the taps that they name, some of them none") {
  TurnedWeights<float> turned;
  const std::vector<std::vector<Index>> parts{{8, 6, 2, 0}, {}, {7, 1}, {5, 3}, {4}};
  for (const WeightShape& shape : {WeightShape{1, 20, 13, 9}, WeightShape{2, 5, 6, 9}}) {
    const auto weight = numbered(shape);
    turned.turn(weight.data(), shape, parts);
    Index before = 0;
    for (const auto& part : parts) {
      const auto own = static_cast<Index>(part.size());
      CHECK(wrong(turned, shape, {before, own}, part) == 0);
      before += own;
    }
  }
}
