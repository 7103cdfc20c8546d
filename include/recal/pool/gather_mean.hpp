// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include <recal/pool/field_pool.hpp>
#include <recal/pool/mean.hpp>

namespace recal {

/// GE's gather without parameters: the mean over windows of 2e-1 pixels at a stride of e.
///   t[p,q] = mean of x[i,j] over |i - p e| < e, |j - q e| < e inside the map;   t is ceil(H/e) by ceil(W/e)
///   e = 0: the mean of the whole map, 1 by 1
/// Only pixels inside the image count, so constants are preserved at the borders.
/// cost: reads each plane twice (the second time from cache); e = 0: once
/// source: Hu et al., "Gather-Excite", NeurIPS 2018, section 3.1
class GatherMean {
 public:
  /// The style pool that this is with extent 0.
  using WholeMap = Mean;

  struct Tape {};

  /// errors: an extent that is neither 0 nor a power of two
  explicit GatherMean(Index extent = 0) : extent_(extent) { check_extent(extent); }

  [[nodiscard]] Index extent() const noexcept { return extent_; }
  [[nodiscard]] bool uniform() const noexcept { return extent_ == 0; }

  [[nodiscard]] Shape field(const Shape& x) const {
    return {x.n, x.c, field_size(x.h, extent_), field_size(x.w, extent_)};
  }

  void begin(const Shape&, Mode, Tape&) const {}

  template <class Team, class X>
  void infer(const Team& team, Index c, const X& x, std::span<double> t) const {
    const Shape to = field(x.shape);
    for (Index n = 0; n < x.shape.n; ++n) {
      double* field = t.data() + n * to.plane();
      if (uniform())
        Mean{}.finish(team.reduce(Mean{}, x.shape.plane(), x.plane(n, c)), x.shape.plane(), field);
      else
        gather(x.plane(n, c), x.shape, to, field);
    }
  }

  template <class Team, class X>
  void forward(const Team& team, Index c, const X& x, std::span<double> t, Tape&) {
    infer(team, c, x, t);
  }

  template <class X>
  void backward(Index, const X&, std::span<const double>, Tape&) {}

  void pull(Index, Index, const Shape& x, std::span<const double> dt, const Tape&, std::span<double> add) const {
    if (uniform())
      add[0] = dt[0] / static_cast<double>(x.plane());
    else
      scatter(dt.data(), x, field(x), add);
  }

  template <class Self, class V>
  static void visit(Self&, V&&) {}

 private:
  /// The pixels [first, last) that window p covers along a side of `size` pixels.
  struct Window {
    Index first;
    Index last;
    [[nodiscard]] double count() const { return static_cast<double>(last - first); }
  };
  [[nodiscard]] Window window(Index p, Index size) const {
    return {std::max<Index>(0, p * extent_ - extent_ + 1), std::min(size, p * extent_ + extent_)};
  }

  template <class T>
  void gather(const T* x, const Shape& from, const Shape& to, double* t) const {
    Buffer<double> column(static_cast<std::size_t>(from.w));
    for (Index p = 0; p < to.h; ++p) {
      const Window rows = window(p, from.h);
      std::ranges::fill(column, 0.0);
      for (Index i = rows.first; i < rows.last; ++i)
        for (Index j = 0; j < from.w; ++j) at(column, j) += static_cast<double>(x[i * from.w + j]);
      for (Index q = 0; q < to.w; ++q) {
        const Window columns = window(q, from.w);
        double sum = 0;
        for (Index j = columns.first; j < columns.last; ++j) sum += at(column, j);
        t[p * to.w + q] = sum / (rows.count() * columns.count());
      }
    }
  }

  void scatter(const double* dt, const Shape& from, const Shape& to, std::span<double> add) const {
    Buffer<double> row(static_cast<std::size_t>(from.w));
    std::ranges::fill(add, 0.0);
    for (Index p = 0; p < to.h; ++p) {
      const Window rows = window(p, from.h);
      std::ranges::fill(row, 0.0);
      for (Index q = 0; q < to.w; ++q) {
        const Window columns = window(q, from.w);
        const double share = dt[p * to.w + q] / (rows.count() * columns.count());
        for (Index j = columns.first; j < columns.last; ++j) at(row, j) += share;
      }
      for (Index i = rows.first; i < rows.last; ++i)
        for (Index j = 0; j < from.w; ++j) at(add, i * from.w + j) += at(row, j);
    }
  }

  Index extent_;
};

}  // namespace recal
