// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <recal/backend/window.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/scalar.hpp>

namespace recal::cpu {

/// The maxima of a row of windows: those of their columns first, which neighbouring windows share. The first of equals
/// in the plane wins, NaN before all numbers. With Located also where in the plane they lie. Keeps its memory.
template <class T, bool Located>
class WindowMaxima {
 public:
  /// For planes of rows of `width` pixels. requires: padding < kernel
  void prepare(Index width, const Window& window) {
    width_ = width;
    window_ = window;
    const auto padded = static_cast<std::size_t>(width + 2 * window.padding);
    best_.assign(padded, -std::numeric_limits<T>::infinity());  // the padding never wins
    if constexpr (Located) where_.assign(padded, std::numeric_limits<std::int32_t>::max());
  }

  /// The columns of the rows [first, last) of a plane. requires: first < last
  void look_at(const T* plane, Index first, Index last) {
    T* best = best_.data() + window_.padding;
    std::int32_t* where = Located ? where_.data() + window_.padding : nullptr;
    std::copy_n(plane + first * width_, width_, best);
    if constexpr (Located)
      for (Index i = 0; i < width_; ++i) where[i] = static_cast<std::int32_t>(first * width_ + i);
    for (Index row = first + 1; row < last; ++row) {
      const Index begin = row * width_;
      compete<1>(
          plane + begin, [&](Index i) { return static_cast<std::int32_t>(begin + i); }, width_, best, where);
    }
  }

  /// Of `count` windows the maxima of the rows looked at, and, with Located, where they lie.
  void find(Index count, T* best, std::int32_t* where) const {
    if (window_.stride == 1) return find_each<1>(count, best, where);
    if (window_.stride == 2) return find_each<2>(count, best, where);
    find_each<0>(count, best, where);
  }

 private:
  /// Step is the stride, or 0.
  template <Index Step>
  void find_each(Index count, T* best, std::int32_t* where) const {
    const Index step = Step > 0 ? Step : window_.stride;
    for (Index i = 0; i < count; ++i) best[i] = best_[static_cast<std::size_t>(i * step)];
    if constexpr (Located)
      for (Index i = 0; i < count; ++i) where[i] = where_[static_cast<std::size_t>(i * step)];
    for (Index column = 1; column < window_.kernel; ++column) {
      const std::int32_t* places = Located ? where_.data() + column : nullptr;
      compete<Step>(
          best_.data() + column, [=](Index i) { return places[i]; }, count, best, where);
    }
  }

  /// Lets values[i * stride], of which place(i * stride) says where it lies, compete with best[i]. No branches: which
  /// pixel is the largest cannot be foretold.
  template <Index Step, class Place>
  void compete(const T* __restrict values, const Place& place, Index count, T* __restrict best,
               std::int32_t* __restrict where) const {
    const Index step = Step > 0 ? Step : window_.stride;
    for (Index i = 0; i < count; ++i) {
      const T value = values[i * step];
      const T so_far = best[i];
      const bool nan = is_nan(value);
      if constexpr (Located) {
        const std::int32_t own = place(i * step);
        const bool had_nan = is_nan(so_far);
        const bool equal = (value == so_far) | (nan & had_nan);
        const bool wins = (value > so_far) | (nan & !had_nan) | (equal & (own < where[i]));
        best[i] = wins ? value : so_far;
        where[i] = wins ? own : where[i];
      } else {
        const bool wins = (value > so_far) | nan;
        best[i] = wins ? value : so_far;
      }
    }
  }

  Index width_ = 0;
  Window window_;
  Buffer<T> best_;
  Buffer<std::int32_t> where_;
};

}  // namespace recal::cpu
