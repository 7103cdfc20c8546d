// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/lines.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/backend/cpu/run_packs.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>

namespace recal::cpu {

/// The rows of input planes that some output pixels see, with their padding.
template <class T>
class PaddedRows {
 public:
  /// The part of an image that is looked at: `positions` output pixels from `first` on, in output rows from y on; they
  /// see the input rows from `top` on, `rows` of them. Its copy begins at `offset`.
  struct Part {
    Index image, first, positions, y, top, rows, offset;
  };

  /// For the output pixels [first, last), counted through all images.
  void prepare(const PatchGrid& grid, Index first, Index last, const ConvStart<T>& start) {
    grid_ = grid;
    start_ = start;
    pitch_ = (grid.out_w - 1) * grid.stride + grid.kernel_w;
    parts_.clear();
    size_ = 0;
    const Index positions = grid.positions();
    for (Index p = first; p < last;) {
      const Index image = p / positions;
      const Index end = std::min(last, (image + 1) * positions);
      const Index begin = p - image * positions;
      const Index y = begin / grid.out_w;
      const Index y_last = (end - 1 - image * positions) / grid.out_w;
      const Index rows = (y_last - y) * grid.stride + grid.kernel_h;
      parts_.push_back({image, begin, end - p, y, y * grid.stride - grid.padding_h, rows, size_});
      size_ += rows * pitch_;
      p = end;
    }
  }

  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }

  /// f(part, y, x, count) for the pixels of each output row: `count` from (y, x) on.
  template <class F>
  void for_each_row(const F& f) const {
    for (const Part& part : parts_)
      for (Index p = part.first; p < part.first + part.positions;) {
        const Index y = p / grid_.out_w;
        const Index x = p - y * grid_.out_w;
        const Index count = std::min(grid_.out_w - x, part.first + part.positions - p);
        f(part, y, x, count);
        p += count;
      }
  }

  /// Numbers of one channel.
  [[nodiscard]] Index size() const { return size_; }

  /// Where the window at output pixel (y, x) of a part begins.
  [[nodiscard]] Index at(const Part& part, Index y, Index x) const {
    return part.offset + ((y - part.y) * pitch_ + x) * grid_.stride;
  }

  /// How far tap (ky, kx) of a window lies from where it begins.
  [[nodiscard]] Index tap(Index ky, Index kx) const { return ky * pitch_ + kx; }

  /// Copies channel c of x, or what the start makes of it; the padding is 0 all the same, and is not written.
  void copy(const TensorView<const T>& x, Index c, T* to) {
    const Index ahead = 2 * x.stride_c;  // the same pixels of a later channel: no prefetcher sees that far
    for (const Part& part : parts_) {
      const Index begin = std::max<Index>(0, -part.top);
      const Index end = std::min(part.rows, grid_.in_h - part.top);
      if (begin >= end) continue;
      const T* seen = x.plane(part.image, c) + (part.top + begin) * grid_.in_w;
      ask_for_lines<ToRead>(seen + ahead, (end - begin) * grid_.in_w);
      if (!start_.empty()) seen = started(c, (end - begin) * grid_.in_w, seen);
      for (Index row = begin; row < end; ++row)
        if (row % grid_.stride < grid_.kernel_h)
          copy_row(seen + (row - begin) * grid_.in_w, to + part.offset + row * pitch_);
    }
  }

 private:
  void copy_row(const T* from, T* to) const {
    const Index skipped = std::max<Index>(0, -grid_.padding_w);
    const Index padding = std::max<Index>(0, grid_.padding_w);
    copy_run(std::min(grid_.in_w - skipped, pitch_ - padding), from + skipped, to + padding);
  }

  /// What the start makes of `length` pixels of channel c: whole rows at once, since rows may be short.
  [[nodiscard]] const T* started(Index c, Index length, const T* from) {
    resize(started_, length);
    map(length, started_.data(), start_.of(c), from);
    return started_.data();
  }

  PatchGrid grid_;
  ConvStart<T> start_;
  Index pitch_ = 0;
  Index size_ = 0;
  std::vector<Part> parts_;
  Buffer<T> started_;
};

}  // namespace recal::cpu
