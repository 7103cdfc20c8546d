// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/backend/cuda/selector.hpp>

using namespace recal;

TEST_CASE("a small plane is a warp's, a larger one a block's") {
  static_assert(cuda::split_planes(4096, 49, 108) == cuda::Split{32, 1, 49});
  static_assert(cuda::split_planes(4096, 1024, 108) == cuda::Split{32, 1, 1024});
  static_assert(cuda::split_planes(4096, 1025, 108) == cuda::Split{256, 1, 1025});
  static_assert(cuda::split_planes(4096, 12544, 108) == cuda::Split{256, 1, 12544});
}

TEST_CASE("few large planes are cut, and the stretches cover them") {
  for (const Index planes : {1, 3, 16, 100, 863, 864})
    for (const Index elements : {1025, 4096, 8192, 12544, 50176, 1048577}) {
      const cuda::Split split = cuda::split_planes(planes, elements, 108);
      CAPTURE(planes);
      CAPTURE(elements);
      CHECK(split.parts * split.part_elements >= elements);
      CHECK((split.parts - 1) * split.part_elements < elements);
      CHECK((split.parts == 1 || split.part_elements % cuda::part_step == 0));
      CHECK((split.parts == 1 || split.part_elements >= cuda::least_part));
      CHECK(split.blocks(planes) == planes * split.parts);
    }
  static_assert(cuda::split_planes(3, 1048577, 108).parts > 100);
}

TEST_CASE("every plane has a team, the last block may have teams to spare") {
  static_assert(cuda::split_planes(17, 49, 4).teams_per_block() == 8);
  static_assert(cuda::split_planes(17, 49, 4).blocks(17) == 3);
  static_assert(cuda::split_planes(0, 49, 4).blocks(0) == 0);
}

TEST_CASE("a channel is walked in one launch where it fits the cache and there are channels enough") {
  const Shape stage{8, 256, 56, 56};
  static_assert(cuda::walks_channels({8, 256, 56, 56}, 4, 1, 108));
  CHECK_FALSE(cuda::walks_channels({64, 256, 56, 56}, 4, 1, 108));  // 800 KB a channel
  CHECK_FALSE(cuda::walks_channels({8, 16, 56, 56}, 4, 1, 108));    // 16 blocks for 108 multiprocessors
  CHECK(cuda::walk_team(stage) == cuda::plane_threads);
  CHECK(cuda::walk_team({8, 256, 14, 14}) == 32);
  CHECK(cuda::walk_team({1, 256, 14, 14}) == cuda::plane_threads);
}
