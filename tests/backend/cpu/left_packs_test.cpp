// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/left_packs.hpp>

#include <vector>

#include <doctest/doctest.h>

using recal::at;
using recal::Buffer;
using recal::Index;
using recal::cpu::LeftPacks;
using recal::cpu::Tile;
using recal::cpu::WeightShape;

TEST_CASE("left packs hold the weights of every group turned, block by block") {
  for (const WeightShape& shape : {WeightShape{1, 1, 1, 1}, {1, 40, 13, 1}, {3, 17, 6, 1}, {2, 600, 64, 1}}) {
    CAPTURE(shape.inputs);
    Buffer<float> weight(static_cast<std::size_t>(shape.groups * shape.outputs * shape.inputs));
    for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i + 1);
    LeftPacks<float> packs;
    packs.turn(weight.data(), shape);
    std::vector<Index> offsets;
    Index wrong = 0;
    Index seen = 0;
    for (Index group = 0; group < shape.groups; ++group) {
      const auto own = packs.of_group(group);
      own.list_depth(shape.outputs, 1, offsets);
      own.for_each_block(Tile{0, 1, 0, shape.inputs}, [&](Index i, Index count) {
        const auto left = own.left(i, 0, offsets);
        for (Index row = 0; row < count; ++row)
          for (Index o = 0; o < shape.outputs; ++o, ++seen)
            wrong +=
                left.data[at(offsets, o) + row] != at(weight, (group * shape.outputs + o) * shape.inputs + i + row);
      });
    }
    CHECK(wrong == 0);
    CHECK(seen == static_cast<Index>(weight.size()));
  }
}

TEST_CASE("left packs begin at the output that is asked for") {
  const WeightShape shape{1, 20, 8, 1};
  Buffer<float> weight(160);
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i);
  LeftPacks<float> packs;
  packs.turn(weight.data(), shape);
  std::vector<Index> offsets;
  packs.of_group(0).list_depth(5, 1, offsets);
  CHECK(offsets.size() == 5);
  constexpr Index second = LeftPacks<float>::rows;
  CHECK(packs.of_group(0).left(second, 15, offsets).data[at(offsets, 4)] == at(weight, 19 * 8 + second));
}
