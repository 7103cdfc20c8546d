// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstring>
#include <vector>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/tensor.hpp>

namespace recal::cpu {

/// How a convolution's output pixels look at its input planes: pixel (y, x) sees the rows from y*stride - padding_h on
/// and the columns from x*stride - padding_w on.
struct PatchGrid {
  Index in_h = 0;  ///< input plane
  Index in_w = 0;
  Index out_h = 0;  ///< positions of the window
  Index out_w = 0;
  Index kernel_h = 1;
  Index kernel_w = 1;
  Index stride = 1;
  Index padding_h = 0;
  Index padding_w = 0;

  PatchGrid() = default;

  PatchGrid(const Shape& in, const Shape& out, const Window& of)
      : in_h(in.h),
        in_w(in.w),
        out_h(out.h),
        out_w(out.w),
        kernel_h(of.kernel),
        kernel_w(of.kernel),
        stride(of.stride),
        padding_h(of.padding),
        padding_w(of.padding) {
    join_rows();
  }

  [[nodiscard]] Index positions() const { return out_h * out_w; }
  [[nodiscard]] Index area() const { return kernel_h * kernel_w; }

  /// Whether every pixel sees itself alone.
  [[nodiscard]] bool pixelwise() const { return area() == 1 && inside() && out_h == in_h && out_w == in_w; }

  /// Whether, with stride 1, no pixel sees beyond a plane.
  [[nodiscard]] bool inside() const {
    return stride == 1 && padding_h == 0 && padding_w == 0 && out_h + kernel_h - 1 <= in_h &&
           out_w + kernel_w - 1 <= in_w;
  }

  /// A plane that is seen pixel by pixel is one long row.
  void join_rows() {
    if (!pixelwise()) return;
    in_w = out_w = in_h * in_w;
    in_h = out_h = 1;
  }
};

/// Gathers patches: for output pixels [first, last), counted through all images, and channels of x,
///   patch row (c, ky, kx), column p  =  x at the pixel that the window at p sees at (ky, kx), or 0 in the padding.
/// Columns come in panels of a fixed width, so that a row of patches is `width` numbers in each panel.
///
/// x is what a ConvStart makes of it, where there is one; the padding is 0 all the same.
///
/// A channel's rows are first copied with their padding, split by column modulo stride: after that
/// each patch row is made of contiguous pieces, whatever the stride.
template <class T>
class Patches {
 public:
  /// Says which pixels to gather, and what to do to them. Keeps its memory from one call to the next.
  void prepare(const PatchGrid& grid, Index first, Index last, Index width, const ConvStart<T>& start = {}) {
    grid_ = grid;
    start_ = start;
    width_ = width;
    panels_ = (last - first + width - 1) / width;
    tail_ = (last - first) - (panels_ - 1) * width;
    direct_ = grid.inside() && start.empty();
    phases_ = std::min(grid.stride, grid.kernel_w);
    pitch_ = grid.out_w + (grid.kernel_w - 1) / grid.stride;
    list_images(first, last);
    if (!grid.pixelwise()) list_pieces(first, last);
  }

  [[nodiscard]] Index panels() const noexcept { return panels_; }

  /// to[panel][((c - first_channel)*kernel_h + ky)*kernel_w + kx][column] for `channels` channels of x.
  /// The start's channels are x's.
  /// ensures: the last panel is filled up with zeros
  void gather(const TensorView<const T>& x, Index first_channel, Index channels, T* to) {
    const Index area = grid_.area();
    const Index panel_stride = channels * area * width_;
    for (Index c = 0; c < channels; ++c) {
      T* out = to + c * area * width_;
      if (grid_.pixelwise()) {
        start_.visit([&](const auto& maps) {
          copy_rows(x, first_channel + c, panel_stride, out, maps.template of<T>(first_channel + c));
        });
        continue;
      }
      if (!direct_) copy_padded(x, first_channel + c);
      for (const Piece& piece : pieces_) {
        const T* from =
            direct_ ? x.plane(piece.image, first_channel + c) + piece.y * grid_.in_w + piece.x : at_padded(piece);
        copy_piece(piece.length, from, direct_ ? grid_.in_w : pitch_ * phases_,
                   out + piece.panel * panel_stride + piece.column);
      }
    }
    if (tail_ < width_) clear_tail(to + (panels_ - 1) * panel_stride, channels * area);
  }

 private:
  /// Consecutive output pixels of one row that lie in one panel.
  struct Piece {
    Index image, part, y, x, length, panel, column;
  };
  /// The part of an image that is looked at: output pixels from `first` on, `positions` of them; they see the input
  /// rows from `top` on, `rows` of them.
  struct Part {
    Index image, top, rows, y, offset, first, positions;
  };

  /// to = f(from), a run of pixels.
  template <class F>
  static void copy_run(Index length, const T* from, T* to, const F& f) {
    if constexpr (std::same_as<F, NoStart::Map>)
      std::memcpy(to, from, static_cast<std::size_t>(length) * sizeof(T));
    else
      map(length, to, f, from);
  }

  /// f of the pixels of one channel, one panel after the other: a window of one pixel.
  template <class F>
  void copy_rows(const TensorView<const T>& x, Index c, Index panel_stride, T* to, const F& f) const {
    constexpr Index columns = Block<T>::columns;
    const Index ahead = 4 * x.stride_c;  // the same pixels of a later channel: no prefetcher sees that far
    Index column = 0;
    for (const Part& part : parts_) {
      const T* from = x.plane(part.image, c) + part.first;
      for (Index rest = part.positions; rest > 0;) {
        if (width_ == columns && column == 0)
          for (; rest >= columns; rest -= columns, from += columns, to += panel_stride) {
            __builtin_prefetch(from + ahead);
            if constexpr (std::same_as<F, NoStart::Map>)
              move<columns>(from, to);
            else
              copy_run(columns, from, to, f);
          }
        const Index length = std::min(rest, width_ - column);
        copy_run(length, from, to + column, f);
        from += length;
        rest -= length;
        column += length;
        if (column == width_) {
          column = 0;
          to += panel_stride;
        }
      }
    }
  }

  void list_images(Index first, Index last) {
    parts_.clear();
    Index offset = 0;
    const Index positions = grid_.positions();
    for (Index p = first; p < last;) {
      const Index image = p / positions;
      const Index end = std::min(last, (image + 1) * positions);
      const Index y = (p - image * positions) / grid_.out_w;
      const Index y_last = (end - 1 - image * positions) / grid_.out_w;
      const Index rows = (y_last - y) * grid_.stride + grid_.kernel_h;
      parts_.push_back({image, y * grid_.stride - grid_.padding_h, rows, y, offset, p - image * positions, end - p});
      offset += rows * phases_ * pitch_;
      p = end;
    }
    if (!direct_) padded_.assign(static_cast<std::size_t>(offset), T{});
  }

  void list_pieces(Index first, Index last) {
    pieces_.clear();
    const Index positions = grid_.positions();
    const Index first_image = first / positions;
    for (Index p = first; p < last;) {
      const Index image = p / positions;
      const Index y = (p - image * positions) / grid_.out_w;
      const Index x = p - image * positions - y * grid_.out_w;
      const Index panel = (p - first) / width_;
      const Index column = (p - first) - panel * width_;
      const Index length = std::min({grid_.out_w - x, last - p, width_ - column});
      pieces_.push_back({image, image - first_image, y, x, length, panel, column});
      p += length;
    }
  }

  /// Copies channel c of all parts between their paddings; column q*stride + f goes to place q of phase f.
  void copy_padded(const TensorView<const T>& x, Index c) {
    const Index stride = grid_.stride;
    const Window columns{grid_.kernel_w, stride, grid_.padding_w};
    constexpr Index line = 64 / sizeof(T);
    const Index ahead = 2 * x.stride_c;  // the same pixels of a later channel, as in copy_rows()
    for (const Part& part : parts_) {
      const Index begin = std::max<Index>(0, -part.top);
      const Index end = std::min(part.rows, grid_.in_h - part.top);
      if (begin >= end) continue;
      const T* seen = x.plane(part.image, c) + (part.top + begin) * grid_.in_w;
      for (Index k = 0; k < (end - begin) * grid_.in_w; k += line) __builtin_prefetch(seen + ahead + k);
      if (!start_.empty()) seen = started(c, (end - begin) * grid_.in_w, seen);
      for (Index row = begin; row < end; ++row) {
        const T* from = seen + (row - begin) * grid_.in_w;
        for (Index phase = 0; phase < phases_; ++phase) {
          T* to = padded_.data() + part.offset + (row * phases_ + phase) * pitch_;
          const TapReach q(columns, phase, grid_.in_w, pitch_);
          if (stride == 1)
            for (Index k = q.first; k < q.last; ++k) to[k] = from[k + q.shift];
          else
            for (Index k = q.first; k < q.last; ++k) to[k] = from[k * stride + q.shift];
        }
      }
    }
  }

  /// What the start makes of `length` pixels of channel c: whole rows at once, since rows may be short.
  [[nodiscard]] const T* started(Index c, Index length, const T* from) {
    resize(started_, length);
    map(length, started_.data(), start_.of(c), from);
    return started_.data();
  }

  [[nodiscard]] const T* at_padded(const Piece& piece) const {
    const Part& part = parts_[static_cast<std::size_t>(piece.part)];
    return padded_.data() + part.offset + (piece.y - part.y) * grid_.stride * phases_ * pitch_ + piece.x;
  }

  /// The copies of one piece, one a tap; `row_step` elements lie between two rows of the source.
  void copy_piece(Index length, const T* from, Index row_step, T* to) const {
    if (length == 1)
      copy_shifted<1>(length, from, row_step, to);
    else if (length <= 4)
      copy_shifted<2>(length, from, row_step, to);
    else if (length <= 8)
      copy_shifted<4>(length, from, row_step, to);
    else if (length <= 16)
      copy_shifted<8>(length, from, row_step, to);
    else if (length <= 32)
      copy_shifted<16>(length, from, row_step, to);
    else if (length <= 64)
      copy_shifted<32>(length, from, row_step, to);
    else
      copy_shifted<0>(length, from, row_step, to);
  }

  /// Each copy in two moves of `Half` elements that overlap: Half <= length <= 2 Half. 0: whatever the length is.
  template <Index Half>
  void copy_shifted(Index length, const T* from, Index row_step, T* to) const {
    if (grid_.kernel_h == 3 && grid_.kernel_w == 3 && grid_.stride == 1)
      copy_taps<Half>(3, 3, 1, length, from, row_step, to);
    else
      copy_taps<Half>(grid_.kernel_h, grid_.kernel_w, grid_.stride, length, from, row_step, to);
  }

  /// copy_shifted(), unrolled for the kernel and stride that the call names.
  template <Index Half>
  [[gnu::always_inline]] void copy_taps(Index kernel_h, Index kernel_w, Index stride, Index length, const T* from,
                                        Index row_step, T* to) const {
    const Index width = width_;
    const Index pitch = pitch_;
    for (Index ky = 0; ky < kernel_h; ++ky) {
      const T* row = from + ky * row_step;
      for (Index kx = 0, phase = 0, q = 0; kx < kernel_w; ++kx, to += width) {
        const T* source = row + phase * pitch + q;
        if constexpr (Half > 0) {
          move<Half>(source, to);
          move<Half>(source + length - Half, to + length - Half);
        } else {
          std::memcpy(to, source, static_cast<std::size_t>(length) * sizeof(T));
        }
        if (++phase == stride) phase = 0, ++q;
      }
    }
  }

  /// `Count` elements, register by register where they fill some.
  template <Index Count>
  [[gnu::always_inline]] static void move(const T* from, T* to) {
    using P = detail::Register<T>;
    if constexpr (Count % P::lanes == 0)
      for (Index i = 0; i < Count; i += P::lanes) store(to + i, load<P>(from + i));
    else
      std::memcpy(to, from, Count * sizeof(T));
  }

  void clear_tail(T* panel, Index rows) const {
    for (Index row = 0; row < rows; ++row) std::fill(panel + row * width_ + tail_, panel + (row + 1) * width_, T{});
  }

  PatchGrid grid_;
  ConvStart<T> start_;
  Index width_ = 0;
  Index panels_ = 0;
  Index tail_ = 0;
  Index phases_ = 1;
  Index pitch_ = 0;
  bool direct_ = true;
  std::vector<Part> parts_;
  std::vector<Piece> pieces_;
  Buffer<T> padded_;
  Buffer<T> started_;
};

}  // namespace recal::cpu
