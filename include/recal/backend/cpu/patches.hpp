// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/lines.hpp>
#include <recal/backend/cpu/padded_rows.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/tensor.hpp>

namespace recal::cpu {

/// Gathers patches: for output pixels [first, last), counted through all images, and channels of x,
///   patch row (c, ky, kx), column p  =  x at the pixel that the window at p sees at (ky, kx), or 0 in the padding.
/// For planes with rows too short to be worked on by themselves, and to change pixels on the way.
///
/// x is what a ConvStart makes of it, where there is one; the padding is 0 all the same.
template <class T>
class Patches {
 public:
  /// Says which pixels to gather, and what to do to them. Keeps its memory from one call to the next.
  void prepare(const PatchGrid& grid, Index first, Index last, const ConvStart<T>& start = {}) {
    grid_ = grid;
    start_ = start;
    rows_.prepare(grid, first, last, start);
    if (grid.pixelwise()) return;
    padded_.assign(static_cast<std::size_t>(rows_.size()), T{});
    list_pieces();
  }

  /// to[((c - first_channel)*kernel_h + ky)*kernel_w + kx][column] for `channels` channels of x, rows `pitch` apart.
  /// The start's channels are x's.
  void gather(const TensorView<const T>& x, Index first_channel, Index channels, T* to, Index pitch) {
    for (Index c = first_channel; c < first_channel + channels; ++c, to += grid_.area() * pitch) {
      if (grid_.pixelwise()) {
        start_.visit([&](const auto& maps) { copy_pixels(x, c, to, maps.template of<T>(c)); });
        continue;
      }
      rows_.copy(x, c, padded_.data());
      for (Index ky = 0; ky < grid_.kernel_h; ++ky)
        for (Index kx = 0; kx < grid_.kernel_w; ++kx)
          copy_pieces(padded_.data() + rows_.tap(ky, kx), to + (ky * grid_.kernel_w + kx) * pitch);
    }
  }

 private:
  /// Consecutive output pixels of one row.
  struct Piece {
    Index from, column, length;
  };

  /// f of the pixels of one channel: a window of one pixel.
  template <class F>
  void copy_pixels(const TensorView<const T>& x, Index c, T* to, const F& f) const {
    const Index ahead = 4 * x.stride_c;  // the same pixels of a later channel: no prefetcher sees that far
    for (const auto& part : rows_.parts()) {
      const T* from = x.plane(part.image, c) + part.first;
      ask_for_lines<ToRead>(from + ahead, part.positions);
      map(part.positions, to, f, from);
      to += part.positions;
    }
  }

  void list_pieces() {
    pieces_.clear();
    length_ = grid_.out_w;
    Index column = 0;
    rows_.for_each_row([&](const auto& part, Index y, Index x, Index length) {
      pieces_.push_back({rows_.at(part, y, x), column, length});
      if (length != length_) length_ = 0;
      column += length;
    });
  }

  void copy_pieces(const T* from, T* to) const {
    const bool dense = grid_.stride == 1;
    if (dense && length_ == 4)
      copy_equal<4>(from, to);
    else if (dense && length_ == 2)
      copy_equal<2>(from, to);
    else if (dense)
      for (const Piece& piece : pieces_) copy_run(piece.length, from + piece.from, to + piece.column);
    else
      for (const Piece& piece : pieces_)
        for (Index i = 0; i < piece.length; ++i) to[piece.column + i] = from[piece.from + i * grid_.stride];
  }

  /// Of pieces that are all as long.
  template <int Length>
  void copy_equal(const T* from, T* to) const {
    for (const Piece& piece : pieces_) store(to + piece.column, load<Pack<T, Length>>(from + piece.from));
  }

  PatchGrid grid_;
  ConvStart<T> start_;
  PaddedRows<T> rows_;
  std::vector<Piece> pieces_;
  Index length_ = 0;  ///< of every piece, or 0 where they differ
  Buffer<T> padded_;
};

}  // namespace recal::cpu
