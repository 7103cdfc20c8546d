// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/field/positions.hpp>

#include "tests/support/host_run/machine.hpp"

using namespace recal;
using namespace recal::testing;

namespace {

constexpr Index most(Index size, Index positions) { return (size + positions - 1) / positions; }

/// Adds 1 to each pixel that a team visits and notes its position.
struct VisitKernel {
  cuda::PixelSplit split;
  Shape map;
  Shape field;
  Index* visits;
  Index* positions;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const cuda::PixelTeam<Context> team(ctx, split, map);
    if (!team.there) return;
    const Index first = (team.n * map.c + team.c) * map.plane();
    team.for_each(field, [&](Index i, Index j, Index position) {
      const Index k = first + i * map.w + j;
      ctx.store(visits + k, ctx.load(visits + k) + 1);
      ctx.store(positions + k, position);
    });
  }
};

/// The pixels of each position's region.
struct CountKernel {
  cuda::PositionSplit split;
  Shape map;
  Shape field;
  double* counts;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const cuda::PositionTeam<Context> at(ctx, split, field);
    if (!at.there) return;
    const double count = at.sum(cuda::nearest_region(map, field, at.p, at.q), [](Index, Index) { return 1.0; });
    if (at.first()) ctx.store(counts + at.index, count);
  }
};

}  // namespace

TEST_CASE("few positions with large regions are a warp's each, many a thread's") {
  static_assert(cuda::split_positions({8, 64, 28, 28}, 3, 3) == cuda::PositionSplit{1, 1});
  static_assert(cuda::split_positions({8, 64, 4, 4}, 3, 3) == cuda::PositionSplit{1, 1});
  static_assert(cuda::split_positions({8, 64, 1, 1}, 112, 112) == cuda::PositionSplit{32, 32});
  static_assert(cuda::split_positions({8, 64, 1, 1}, 7, 7) == cuda::PositionSplit{32, 8});
  static_assert(cuda::split_positions({8, 64, 4, 4}, 31, 31) == cuda::PositionSplit{32, 32});
  static_assert(cuda::PositionSplit{1, 1}.blocks({1, 3, 10, 10}) == 2);
  static_assert(cuda::PositionSplit{32, 8}.blocks({1, 3, 2, 2}) == 2);
}

TEST_CASE("lanes across are a power of two, no more than the columns need or the team has") {
  static_assert(cuda::lanes_across(1, 32) == 1);
  static_assert(cuda::lanes_across(7, 32) == 8);
  static_assert(cuda::lanes_across(33, 32) == 32);
  static_assert(cuda::lanes_across(56, 256) == 64);
  static_assert(cuda::lanes_across(1000, 256) == 256);
}

TEST_CASE("small planes are a warp's, large ones a block's, few large ones are cut into runs of rows") {
  static_assert(cuda::split_pixels({32, 64, 7, 7}, 108) == cuda::PixelSplit{32, 8, 1, 7});
  static_assert(cuda::split_pixels({32, 64, 56, 56}, 108) == cuda::PixelSplit{256, 64, 1, 56});
  static_assert(cuda::split_pixels({1, 4, 100, 100}, 108) == cuda::PixelSplit{256, 128, 2, 50});
  static_assert(cuda::split_pixels({32, 3, 7, 7}, 108).blocks({32, 3, 7, 7}) == 12);
}

TEST_CASE("every pixel is visited once, with the position that nearest resize gives it") {
  const HostMachine machine(Schedule::reverse());
  for (const Shape& map :
       {Shape{2, 3, 7, 7}, Shape{1, 2, 5, 9}, Shape{3, 1, 1, 1}, Shape{1, 1, 97, 95}, Shape{1, 1, 2, 600}})
    for (const Index extent : {0, 2, 4, 16, 1024}) {
      CAPTURE(to_string(map));
      CAPTURE(extent);
      const Shape field{map.n, map.c, field_size(map.h, extent), field_size(map.w, extent)};
      const cuda::PixelSplit split = cuda::split_pixels(map, 4);
      cuda::DeviceBuffer<Index> visits(machine, map.size());
      cuda::DeviceBuffer<Index> positions(machine, map.size());
      clear(machine, visits);
      machine.launch({split.blocks(map), cuda::plane_threads},
                     VisitKernel{split, map, field, visits.data(), positions.data()});
      const auto visited = download(machine, visits);
      const auto found = download(machine, positions);
      Index wrong = 0;
      std::vector<Index> counts(static_cast<std::size_t>(field.plane()));
      for (Index k = 0; k < map.size(); ++k) {
        const Index expected =
            nearest(k / map.w % map.h, map.h, field.h) * field.w + nearest(k % map.w, map.w, field.w);
        wrong += at(visited, k) != 1 || at(found, k) != expected;
        if (k < map.plane()) ++at(counts, expected);
      }
      CHECK(wrong == 0);

      cuda::DeviceBuffer<double> sums(machine, field.size());
      const cuda::PositionSplit by_position = cuda::split_positions(field, most(map.h, field.h), most(map.w, field.w));
      machine.launch({by_position.blocks(field), cuda::plane_threads},
                     CountKernel{by_position, map, field, sums.data()});
      const auto sum = download(machine, sums);
      for (Index i = 0; i < field.size(); ++i) CHECK(at(sum, i) == static_cast<double>(at(counts, i % field.plane())));
    }
}
