// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/window.hpp>
#include <recal/core/shape.hpp>

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
  [[nodiscard]] bool pixelwise() const {
    return area() == 1 && stride == 1 && padding_h == 0 && padding_w == 0 && out_h == in_h && out_w == in_w;
  }

  /// A plane that is seen pixel by pixel is one long row.
  void join_rows() {
    if (!pixelwise()) return;
    in_w = out_w = in_h * in_w;
    in_h = out_h = 1;
  }
};

}  // namespace recal::cpu
