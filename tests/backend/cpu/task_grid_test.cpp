// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/task_grid.hpp>

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/buffer.hpp>

using recal::at;
using recal::Index;
using recal::cpu::TaskGrid;
using recal::cpu::Tile;

namespace {

/// How often each pixel and channel is in a tile, by the tiles of a grid.
std::vector<int> covered(const TaskGrid& grid, const TaskGrid::Sizes& sizes) {
  std::vector<int> times(static_cast<std::size_t>(sizes.images * sizes.positions * sizes.channels));
  for (Index task = 0; task < grid.size(); ++task) {
    const Tile tile = grid[task];
    for (Index p = tile.first; p < tile.last; ++p)
      for (Index c = tile.channel; c < tile.channel_end; ++c) ++at(times, p * sizes.channels + c);
  }
  return times;
}

}  // namespace

TEST_CASE("tiles cover every pixel and channel once, in whole units") {
  for (const Index images : {1, 3, 16})
    for (const Index positions : {1, 4, 49, 196, 784, 1000})
      for (const Index unit : {1, 7, 14, 2000})
        for (const Index channels : {1, 30, 130}) {
          const TaskGrid::Sizes sizes{.images = images,
                                      .positions = positions,
                                      .unit = unit,
                                      .channels = channels,
                                      .channel_unit = 16,
                                      .least_channels = 32,
                                      .most_channels = 64};
          const TaskGrid grid(sizes, 1);
          int wrong = 0;
          for (const int times : covered(grid, sizes)) wrong += times != 1;
          for (Index task = 0; task < grid.size(); ++task) {
            const Tile tile = grid[task];
            wrong += tile.first % positions % unit != 0;
            wrong += tile.channel % 16 != 0;
            const bool several = tile.first / positions != (tile.last - 1) / positions;
            wrong += several && (tile.first % positions != 0 || tile.last % positions != 0);
          }
          CAPTURE(images);
          CAPTURE(positions);
          CAPTURE(unit);
          CAPTURE(channels);
          CHECK(wrong == 0);
        }
}

TEST_CASE("channels are split where tiles are few, but not below what is worth it") {
  TaskGrid::Sizes sizes{.images = 1,
                        .positions = 64,
                        .unit = 8,
                        .channels = 512,
                        .channel_unit = 32,
                        .least_channels = 64,
                        .most_channels = 512};
  CHECK(TaskGrid(sizes, 1).size() == 8);
  CHECK(TaskGrid(sizes, 8).size() == 1);
  sizes.least_channels = 128;
  CHECK(TaskGrid(sizes, 1).size() == 4);
  sizes.most_channels = 64;
  CHECK(TaskGrid(sizes, 8).size() == 8);
}

TEST_CASE("tiles follow the pixels that are asked for") {
  TaskGrid::Sizes sizes{.images = 2,
                        .positions = 1024,
                        .unit = 1,
                        .channels = 8,
                        .channel_unit = 8,
                        .least_channels = 8,
                        .most_channels = 8};
  const auto longest = [&] {
    Index most = 0;
    const TaskGrid grid(sizes, 8);
    for (Index task = 0; task < grid.size(); ++task) most = std::max(most, grid[task].last - grid[task].first);
    return most;
  };
  CHECK(longest() == TaskGrid::most_pixels);
  sizes.most_pixels = 128;
  CHECK(longest() == 128);
  for (const int times : covered(TaskGrid(sizes, 8), sizes)) CHECK(times == 1);
}
