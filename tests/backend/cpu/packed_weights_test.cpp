// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/packed_weights.hpp>

#include <vector>

#include <doctest/doctest.h>

using recal::at;
using recal::Buffer;
using recal::Index;
using recal::cpu::PackedWeights;
using recal::cpu::Taps;
using recal::cpu::WeightShape;

namespace {

constexpr Index packed_width = recal::cpu::Block<float>::columns;

/// Weights that say where they stand, from 1 on.
Buffer<float> numbered(const WeightShape& shape) {
  Buffer<float> weight(static_cast<std::size_t>(shape.groups * shape.outputs * shape.inputs * shape.area));
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i + 1);
  return weight;
}

/// The number of weight (g, o, i, tap), or 0 where there is none.
float number(const WeightShape& shape, Index g, Index o, Index i, Index tap) {
  if (o >= shape.outputs || i >= shape.inputs) return 0;
  return static_cast<float>(((g * shape.outputs + o) * shape.inputs + i) * shape.area + tap + 1);
}

int wrong_forward(const PackedWeights<float>& packed, const WeightShape& shape) {
  int wrong = 0;
  for (Index g = 0; g < shape.groups; ++g)
    for (Index o = 0; o < packed.panels() * packed_width; ++o)
      for (Index step = 0; step < shape.inputs * shape.area; ++step)
        wrong += packed.panel(g, o / packed_width, step)[o % packed_width] !=
                 number(shape, g, o, step / shape.area, step % shape.area);
  return wrong;
}

/// Of a part with some taps, before which stand `before` of them.
int wrong_turned(const PackedWeights<float>& packed, const WeightShape& shape, const Taps& taps, Index before) {
  const auto count = static_cast<Index>(taps.size());
  int wrong = 0;
  for (Index g = 0; g < shape.groups; ++g)
    for (Index i = 0; i < packed.panels() * packed_width; ++i)
      for (Index o = 0; o < shape.outputs; ++o)
        for (Index t = 0; t < count; ++t)
          wrong += packed.panel(g, i / packed_width, before * shape.outputs + o * count + t)[i % packed_width] !=
                   number(shape, g, o, i, at(taps, t));
  return wrong;
}

const WeightShape packed_shapes[] = {{1, 1, 1, 1},   {1, 20, 13, 9}, {2, 9, 12, 1},  {3, 8, 6, 4},
                                     {1, 17, 5, 49}, {1, 70, 66, 9}, {1, 40, 600, 1}};

}  // namespace

TEST_CASE("weights are packed output by output, with zeros where there are none") {
  recal::Buffer<float> memory;
  PackedWeights<float> packed(memory);  // used again and again
  for (const WeightShape& shape : packed_shapes) {
    packed.pack(numbered(shape).data(), shape);
    CHECK(packed.panels() == (shape.outputs + packed_width - 1) / packed_width);
    CHECK(wrong_forward(packed, shape) == 0);
  }
}

TEST_CASE("the whole kernel is turned by half a circle") {
  recal::Buffer<float> memory;
  PackedWeights<float> packed(memory);
  for (const WeightShape& shape : packed_shapes) {
    packed.turn(numbered(shape).data(), shape);
    Taps taps;
    for (Index tap = shape.area - 1; tap >= 0; --tap) taps.push_back(tap);
    CHECK(wrong_turned(packed, shape, taps, 0) == 0);
  }
}

TEST_CASE("parts have the taps that they name, some of them none") {
  recal::Buffer<float> memory;
  PackedWeights<float> packed(memory);
  const std::vector<Taps> parts{{8, 6, 2, 0}, {}, {7, 1}, {5, 3}, {4}};
  for (const WeightShape& shape : {WeightShape{1, 20, 13, 9}, WeightShape{2, 5, 6, 9}}) {
    packed.turn(numbered(shape).data(), shape, parts);
    Index before = 0;
    for (const Taps& part : parts) {
      CHECK(wrong_turned(packed, shape, part, before) == 0);
      before += static_cast<Index>(part.size());
    }
  }
}
