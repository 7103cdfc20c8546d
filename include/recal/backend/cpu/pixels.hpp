// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/lines.hpp>
#include <recal/backend/cpu/padded_rows.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/patches.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/tensor.hpp>

namespace recal::cpu {

/// What some output pixels see of an image, as a left operand: channel c of those loaded, seen at tap t by pixel p, is
///   base()[c*channel_step() + taps()[t] + offset of p],
/// and the offsets of pixels of a Run are pixel_step() apart.
///   pixel by pixel, as they are      where they lie in x: nothing is copied
///   rows of some length              rows with their padding, copied once for all taps
///   short rows, or pixels to change  patches, gathered
/// The two copies are what a ConvStart makes of x, where there is one.
template <class T>
class Pixels {
 public:
  struct Run {
    Index offset;  ///< of its first pixel
    Index first;   ///< its first pixel, counted from the first of all
    Index count;
  };

  /// For the output pixels [first, last), counted through all images, and up to `channels` channels at a time; patches
  /// are gathered where output rows are shorter than `shortest`. Keeps its memory from one call to the next.
  void prepare(const TensorView<const T>& x, const PatchGrid& grid, Index first, Index last, Index channels,
               const ConvStart<T>& start = {}, Index shortest = Block<T>::rows / 2) {
    if (grid.out_w < shortest || (grid.pixelwise() && (!start.empty() || in_each_others_way(x.stride_c))))
      return prepare_patches(x, grid, first, last, channels, start);
    x_ = x;
    source_ = grid.pixelwise() ? Source::image : Source::rows;
    runs_.clear();
    taps_.clear();
    rows_.prepare(grid, first, last, start);
    channel_step_ = source_ == Source::image ? x.stride_c : odd_lines<T>(rows_.size());
    pixel_step_ = grid.stride;
    for (Index ky = 0; ky < grid.kernel_h; ++ky)
      for (Index kx = 0; kx < grid.kernel_w; ++kx) taps_.push_back(rows_.tap(ky, kx));
    list_runs();
    if (source_ == Source::rows) copies_.assign(static_cast<std::size_t>(channels * channel_step_), T{});
  }

  /// The same, gathered: one run, in which every tap of a channel is a row of neighbours.
  void prepare_patches(const TensorView<const T>& x, const PatchGrid& grid, Index first, Index last, Index channels,
                       const ConvStart<T>& start = {}) {
    x_ = x;
    source_ = Source::patches;
    patches_.prepare(grid, first, last, start);
    const Index pitch = odd_lines<T>(last - first);
    channel_step_ = grid.area() * pitch;
    pixel_step_ = 1;
    taps_.clear();
    for (Index t = 0; t < grid.area(); ++t) taps_.push_back(t * pitch);
    runs_.assign(1, {0, 0, last - first});
    resize(copies_, channels * channel_step_);
  }

  /// Makes `count` channels from `first` on readable.
  void load(Index first, Index count) {
    base_ = source_ == Source::image ? x_.plane(0, first) : copies_.data();
    if (source_ == Source::patches) patches_.gather(x_, first, count, copies_.data(), tap_step());
    if (source_ == Source::rows)
      for (Index c = 0; c < count; ++c) rows_.copy(x_, first + c, copies_.data() + c * channel_step_);
  }

  [[nodiscard]] const T* base() const { return base_; }
  [[nodiscard]] Index channel_step() const { return channel_step_; }
  [[nodiscard]] Index pixel_step() const { return pixel_step_; }
  [[nodiscard]] const std::vector<Index>& taps() const { return taps_; }
  /// Whether the taps of a row of the window are next to each other.
  [[nodiscard]] bool adjacent_taps() const { return source_ == Source::rows; }
  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }

 private:
  enum class Source { image, rows, patches };

  /// From one tap of patches to the next.
  [[nodiscard]] Index tap_step() const { return channel_step_ / static_cast<Index>(taps_.size()); }

  /// Whether lines that are `step` numbers apart share a set of the first cache.
  [[nodiscard]] static bool in_each_others_way(Index step) { return step * static_cast<Index>(sizeof(T)) % 4096 == 0; }

  void list_runs() {
    Index pixel = 0;
    rows_.for_each_row([&](const auto& part, Index y, Index x, Index count) {
      const Index offset = source_ == Source::image ? part.image * x_.stride_n + x : rows_.at(part, y, x);
      runs_.push_back({offset, pixel, count});
      pixel += count;
    });
  }

  TensorView<const T> x_;
  Source source_ = Source::image;
  PaddedRows<T> rows_;
  Patches<T> patches_;
  const T* base_ = nullptr;
  Index channel_step_ = 0;
  Index pixel_step_ = 1;
  std::vector<Index> taps_;
  std::vector<Run> runs_;
  Buffer<T> copies_;
};

}  // namespace recal::cpu
