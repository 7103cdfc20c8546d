// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/plain_weights.hpp>

#include <vector>

#include <doctest/doctest.h>

using namespace recal;

TEST_CASE("the depth of plain weights counts inputs and taps, all of them or those that are named") {
  std::vector<Index> offsets;
  cpu::PlainWeights<float>{nullptr, 0, 100, 0}.list_depth(2, 3, offsets);
  CHECK(offsets == std::vector<Index>{0, 1, 2, 100, 101, 102});
  cpu::Taps taps;
  cpu::turn_taps(3, taps);
  cpu::PlainWeights<float>{nullptr, 0, 100, 0, &taps}.list_depth(2, 3, offsets);
  CHECK(offsets == std::vector<Index>{2, 1, 0, 102, 101, 100});
  taps = {7, 4};
  cpu::PlainWeights<float>{nullptr, 0, 100, 0, &taps}.list_depth(2, 2, offsets);
  CHECK(offsets == std::vector<Index>{7, 4, 107, 104});
}

TEST_CASE("plain weights of a group, an output and a channel begin where they lie") {
  const float weights[64] = {};
  const cpu::PlainWeights<float> plain{weights, 9, 3, 27};
  const std::vector<Index> offsets{0, 1, 2};
  CHECK(plain.of_group(1).left(2, 1, offsets).data == weights + 27 + 2 * 9 + 3);
  CHECK(plain.left(0, 0, offsets).step == 9);
}

TEST_CASE("blocks of plain weights cover a tile's outputs once") {
  Index next = 5;
  cpu::PlainWeights<float>{}.for_each_block(cpu::Tile{0, 1, 5, 40}, [&](Index o, Index count) {
    CHECK(o == next);
    CHECK(count <= cpu::WideBlock<float>::rows);
    next += count;
  });
  CHECK(next == 40);
}
