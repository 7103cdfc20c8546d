// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/weight_sums.hpp>

#include <vector>

#include <doctest/doctest.h>

using namespace recal;
using recal::cpu::WeightBlock;
using recal::cpu::WeightGrid;
using recal::cpu::WeightSizes;
using recal::cpu::WeightSums;
using recal::cpu::WeightTarget;

namespace {

void check_cover(const WeightGrid& grid, const WeightSizes& sizes) {
  CHECK(grid.channels * grid.blocks >= sizes.channels);
  CHECK((grid.channels * (grid.blocks - 1) < sizes.channels));
  CHECK(grid.columns * grid.splits >= sizes.columns);
  CHECK(grid.columns % cpu::WideBlock<float>::columns == 0);
  CHECK(grid.ranges >= 1);
  CHECK(grid.ranges <= sizes.images);
}

/// Whether every weight gets one from every image, with sums that are 1 an image for each weight of a block.
bool each_image_counts_once(const WeightSizes& sizes, const WeightGrid& grid, bool columns_are_outputs) {
  constexpr Index width = cpu::WideBlock<float>::columns;
  const Index size = sizes.channels * sizes.columns * sizes.area;
  std::vector<float> weights(static_cast<std::size_t>(sizes.groups * size), 0.5F);
  cpu::add_weight_sums<float>(
      sizes, grid,
      [&](Index, const WeightBlock& block, const WeightSums<float>& sums) {
        for (Index j = 0; j < block.columns; ++j)
          for (Index row = 0; row < block.channels * sizes.area; ++row) {
            float& sum = sums.data[j / width * sums.panel_step + row * sums.row_step + j % width];
            sum = (sums.add ? sum : 0) + static_cast<float>(block.image_end - block.image);
          }
      },
      [&](Index g) {
        return WeightTarget<float>{weights.data() + g * size,
                                   columns_are_outputs ? sizes.channels * sizes.area : sizes.columns,
                                   columns_are_outputs};
      });
  for (const float weight : weights)
    if (weight != 0.5F + static_cast<float>(sizes.images)) return false;
  return true;
}

}  // namespace

TEST_CASE("a grid covers all channels, columns and images") {
  for (const Index images : {1, 8, 100})
    for (const Index positions : {1, 49, 3136})
      for (const Index channels : {1, 3, 64, 2048})
        for (const Index columns : {1, 64, 512}) {
          const WeightSizes sizes{1, images, channels, columns, 9};
          check_cover(WeightGrid::plan<float>(sizes, positions), sizes);
          const WeightGrid blocks = WeightGrid::plan_blocks<float>(sizes, positions, 128, 64);
          check_cover(blocks, sizes);
          CHECK(blocks.channels <= 128);
          CHECK(blocks.columns <= 64);
        }
}

TEST_CASE("the sums of every block and range of images reach their weights") {
  for (const WeightSizes& sizes : {WeightSizes{1, 9, 40, 70, 9}, WeightSizes{2, 3, 5, 33, 9},
                                   WeightSizes{1, 1, 1, 1, 1}, WeightSizes{3, 20, 130, 100, 1}}) {
    for (const Index positions : {4, 3136}) {
      CHECK(each_image_counts_once(sizes, WeightGrid::plan<float>(sizes, positions), true));
      CHECK(each_image_counts_once(sizes, WeightGrid::plan_blocks<float>(sizes, positions, 28, 64), true));
    }
    if (sizes.area == 1) CHECK(each_image_counts_once(sizes, WeightGrid::plan<float>(sizes, 4), false));
  }
}
