// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/shape.hpp>

namespace recal::cuda {

/// Threads of every block that works on planes: eight warps, so that a multiprocessor holds several blocks and finds
/// another warp to run while one waits for memory.
inline constexpr int plane_threads = 256;

/// How the planes of a tensor are shared out: teams of `team` threads, each plane in `parts` stretches of
/// `part_elements` (the last one may be shorter), a stretch to a team.
struct Split {
  int team = 32;
  Index parts = 1;
  Index part_elements = 0;

  [[nodiscard]] constexpr int teams_per_block() const { return plane_threads / team; }
  [[nodiscard]] constexpr Index items(Index planes) const { return planes * parts; }
  [[nodiscard]] constexpr Index blocks(Index planes) const {
    return (items(planes) + teams_per_block() - 1) / teams_per_block();
  }

  friend constexpr bool operator==(const Split&, const Split&) = default;
};

/// A warp has its plane of up to 1024 elements (28x28, 14x14, 7x7 maps) in 8 loads of 128 bits a lane, and needs no
/// barrier: above, the eight warps of a block share a plane.
inline constexpr Index warp_elements = 1024;

/// Blocks that a multiprocessor holds: 2048 threads on most.
inline constexpr Index blocks_per_multiprocessor = 8;

/// Elements that make a block worth its launch when it has only a part of a plane.
inline constexpr Index least_part = 4096;

/// Part boundaries keep the 128-bit alignment that a plane has, for every type of element.
inline constexpr Index part_step = 32;

/// Warp per plane, block per plane, or several blocks per plane where there are too few planes for the device.
/// requires: elements >= 1, multiprocessors >= 1
[[nodiscard]] constexpr Split split_planes(Index planes, Index elements, Index multiprocessors) {
  if (elements <= warp_elements) return {32, 1, elements};
  const Index wanted = multiprocessors * blocks_per_multiprocessor;
  Index parts = planes >= wanted || planes == 0 ? 1 : wanted / planes;
  if (parts > elements / least_part) parts = elements / least_part;
  if (parts <= 1) return {plane_threads, 1, elements};
  const Index share = (elements + parts - 1) / parts;
  const Index part = (share + part_step - 1) / part_step * part_step;
  return {plane_threads, (elements + part - 1) / part, part};
}

/// What one block should find again in the second cache when it walks a channel: 512 KiB, so that the blocks of 64
/// multiprocessors stay within 32 MiB.
inline constexpr Index walk_bytes = Index{512} << 10U;

/// Whether a block can take a whole channel from the first pass to the last in one launch: its planes (`tensors` of
/// them are read again) fit, and there are channels enough to keep the device busy.
[[nodiscard]] constexpr bool walks_channels(const Shape& x, Index element_bytes, Index tensors, Index multiprocessors) {
  return x.n * x.plane() * element_bytes * tensors <= walk_bytes && 2 * x.c >= multiprocessors;
}

/// The team of a channel walk: a warp per plane where planes are small and enough of them, else the block.
[[nodiscard]] constexpr int walk_team(const Shape& x) {
  return x.plane() <= warp_elements && x.n > 1 ? 32 : plane_threads;
}

}  // namespace recal::cuda
