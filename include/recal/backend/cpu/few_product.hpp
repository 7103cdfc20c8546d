// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/conv_finish.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/finish.hpp>
#include <recal/backend/cpu/lines.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/patches.hpp>
#include <recal/backend/cpu/plain_weights.hpp>
#include <recal/backend/cpu/task_grid.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/tensor.hpp>

/// Products of weights, where they lie, with so few pixels that packing the weights would not pay. All patches are
/// gathered first, once for all tasks.
namespace recal::cpu {

[[nodiscard]] inline bool few_pixels(const PatchGrid& grid, Index images) { return images * grid.positions() <= 256; }

/// What one task needs; every thread keeps its own and reuses it.
template <class T>
struct FewScratch {
  Patches<T> patches;
  std::vector<Index> offsets;
  Buffer<T> sums;  ///< (output, pixel)
};

template <class T>
[[nodiscard, gnu::noinline]] FewScratch<T>& few_scratch() {
  thread_local FewScratch<T> scratch;
  return scratch;
}

/// How the patches of all images lie: for each group rows (channel, tap), `pitch` apart, with a number for each pixel.
/// The last one is readable for a whole panel more.
template <class T>
struct PatchRows {
  Index pixels, pitch, group_size;

  PatchRows(const PatchGrid& grid, Index images, Index channels)
      : pixels(images * grid.positions()), pitch(odd_lines<T>(pixels)), group_size(channels * grid.area() * pitch) {}

  [[nodiscard]] Index size(Index groups) const { return groups * group_size + WideBlock<T>::columns; }
};

/// Outputs of a task.
template <class T>
inline constexpr Index few_outputs = 8 * WideBlock<T>::rows;

/// The patches of all images.
template <class T>
void gather_all(const TensorView<const T>& x, const PatchGrid& grid, const PatchRows<T>& rows, Index groups,
                const ConvStart<T>& start, T* to) {
  constexpr Index band = 8;  // channels of a task
  const Index channels = x.shape.c / groups;
  const Index bands = (channels + band - 1) / band;
  parallel_for(groups * bands, 1 + 16384 / (band * grid.area() * rows.pitch), [&](Index index) {
    const Index group = index / bands;
    const Index first = index % bands * band;
    Patches<T>& patches = few_scratch<T>().patches;
    patches.prepare(grid, 0, rows.pixels, start.from_channel(group * channels));
    patches.gather(from_channel(x, group * channels), first, std::min(band, channels - first),
                   to + (group * channels + first) * grid.area() * rows.pitch, rows.pitch);
  });
}

/// Sums of the tile's channels at all of its pixels, rows `pitch` apart, to y, finished.
template <class T>
void write_rows(const Tile& tile, Index positions, const T* sums, Index pitch, const TensorView<T>& y,
                const ConvFinish<T>& finish) {
  for (Index o = tile.channel; o < tile.channel_end; ++o, sums += pitch)
    for_each_image(tile.first, tile.last, positions, [&](const ImageRun& run, Index p) {
      T* to = y.plane(run.image, o) + run.first;
      copy_run(run.count, sums + (p - tile.first), to);
      if (!finish.empty()) finish_run(finish, run, o, to);
    });
}

/// y(channel o, pixel p) = finish(sum_k weights(o, k) patches(k, p)) for a group's outputs [tile.channel,
/// tile.channel_end); y and `finish` begin at the group's channels.
template <class T>
void multiply_patches(const T* patches, Index pitch, Index channels, const PatchGrid& grid, const Tile& tile,
                      const PlainWeights<T>& weights, const TensorView<T>& y, const ConvFinish<T>& finish) {
  using B = WideBlock<T>;
  FewScratch<T>& scratch = few_scratch<T>();
  const Index area = grid.area();
  const Index chunk = std::clamp<Index>(B::depth / area, 1, channels);
  weights.list_depth(chunk, area, scratch.offsets);
  resize(scratch.sums, (tile.channel_end - tile.channel) * pitch);
  for (Index c = 0; c < channels; c += chunk) {
    const Index own = std::min(chunk, channels - c);
    weights.for_each_block(tile, [&](Index o, Index rows) {
      const auto left = weights.left(o, c, scratch.offsets);
      for (Index p = 0; p < tile.last; p += B::columns)
        multiply_block<B>(rows, std::min(B::columns, tile.last - p), own * area, left,
                          Right<T>{patches + c * area * pitch + p, pitch},
                          scratch.sums.data() + (o - tile.channel) * pitch + p, pitch, c > 0);
    });
  }
  write_rows(tile, grid.positions(), scratch.sums.data(), pitch, y, finish);
}

/// y = finish(weights * start(x)) for all groups.
/// requires: few_pixels()
template <class T>
void multiply_few(const TensorView<const T>& x, const PlainWeights<T>& weights, const TensorView<T>& y,
                  const PatchGrid& grid, Index groups, const ConvFinish<T>& finish, const ConvStart<T>& start) {
  constexpr Index piece = few_outputs<T>;
  const Index channels = x.shape.c / groups;
  const Index outputs = y.shape.c / groups;
  const PatchRows<T> rows(grid, y.shape.n, channels);
  Kept<Buffer<T>> patches;
  resize(*patches, rows.size(groups));
  gather_all(x, grid, rows, groups, start, patches->data());
  const Index pieces = (outputs + piece - 1) / piece;
  parallel_for(groups * pieces, [&](Index index) {
    const Index group = index / pieces;
    const Index first = index % pieces * piece;
    multiply_patches(patches->data() + group * rows.group_size, rows.pitch, channels, grid,
                     Tile{0, rows.pixels, first, std::min(outputs, first + piece)}, weights.of_group(group),
                     from_channel(y, group * outputs), finish.from_channel(group * outputs));
  });
}

}  // namespace recal::cpu
