// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>

#include <recal/backend/cuda/convert.hpp>
#include <recal/backend/cuda/field/field_pool.hpp>
#include <recal/backend/cuda/field/positions.hpp>

namespace recal::cuda {

/// Windows of 2e-1 pixels at a stride of e, cut off at the border; e = 0: one window, the whole map.
struct Windows {
  Shape map;
  Shape field;
  int shift;  // log2 e; -1: the whole map

  [[nodiscard]] RECAL_HOST_DEVICE Region region(Index p, Index q) const {
    if (shift < 0) return {0, map.h, 0, map.w};
    return {first(p), last(p, map.h), first(q), last(q, map.w)};
  }

  /// The windows [first_window, last_window] along a side that cover a pixel: one, or two neighbours.
  [[nodiscard]] RECAL_HOST_DEVICE Index first_window(Index i) const { return shift < 0 ? 0 : i >> shift; }
  [[nodiscard]] RECAL_HOST_DEVICE Index last_window(Index i, Index windows) const {
    const Index p = first_window(i);
    return shift >= 0 && (i & (extent() - 1)) != 0 && p + 1 < windows ? p + 1 : p;
  }

  /// An upper bound of a window's rows, or columns.
  [[nodiscard]] Index most(Index size) const { return shift < 0 || 2 * extent() - 1 > size ? size : 2 * extent() - 1; }

 private:
  [[nodiscard]] RECAL_HOST_DEVICE Index extent() const { return Index{1} << shift; }
  [[nodiscard]] RECAL_HOST_DEVICE Index first(Index p) const { return p == 0 ? 0 : (p - 1) * extent() + 1; }
  [[nodiscard]] RECAL_HOST_DEVICE Index last(Index p, Index size) const {
    return (p + 1) * extent() < size ? (p + 1) * extent() : size;
  }
};

/// t = the mean of each window.
template <class T>
struct WindowMeanKernel {
  PositionSplit split;
  Windows windows;
  TensorView<const T> x;
  double* t;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PositionTeam<Context> at(ctx, split, windows.field);
    if (!at.there) return;  // a whole team, of a block without barriers
    const T* plane = x.plane(at.n, at.c);
    const Region region = windows.region(at.p, at.q);
    const double sum =
        at.sum(region, [&](Index i, Index j) { return widen<double>(ctx.load(plane + i * windows.map.w + j)); });
    if (at.first()) ctx.store(t + at.index, sum / static_cast<double>(region.count()));
  }
};

/// What each pixel of a window gets of the gradient of its mean.
struct WindowShareKernel {
  Windows windows;
  const double* dt;
  float* shares;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PositionTeam<Context> at(ctx, PositionSplit{}, windows.field);
    if (!at.there) return;
    const auto count = static_cast<double>(windows.region(at.p, at.q).count());
    ctx.store(shares + at.index, static_cast<float>(ctx.load(dt + at.index) / count));
  }
};

/// GE's gather without parameters: recal::GatherMean.
/// cost: each pixel is read by up to four windows, from cache but for the first. Sums are in double: on cards with few
/// units for double it is those, not memory, that bound them
class GatherMean {
 public:
  struct Tape {
    DeviceBuffer<float> shares;
  };

  /// The gradient of a pixel: the sum of its windows' shares.
  struct View {
    Windows windows;
    const float* shares;

    template <class Context>
    [[nodiscard]] RECAL_HOST_DEVICE float gradient(const Context& ctx, Index n, Index c, Index i, Index j) const {
      const Shape& field = windows.field;
      const float* own = shares + (c * field.n + n) * field.plane();
      const Index right = windows.last_window(j, field.w);
      float sum = 0;
      for (Index p = windows.first_window(i); p <= windows.last_window(i, field.h); ++p)
        for (Index q = windows.first_window(j); q <= right; ++q) sum += ctx.load(own + p * field.w + q);
      return sum;
    }
  };

  /// errors: an extent that is neither 0 nor a power of two
  explicit GatherMean(Index extent = 0) : extent_(extent) { check_extent(extent); }

  [[nodiscard]] Index extent() const noexcept { return extent_; }

  [[nodiscard]] Shape field(const Shape& x) const {
    return {x.n, x.c, field_size(x.h, extent_), field_size(x.w, extent_)};
  }

  template <Machine M>
  void begin(const M& machine, const Shape& x, Tape& tape) const {
    tape.shares.resize(machine, field(x).size());
  }

  template <Machine M, class T>
  void forward(const M& machine, const TensorView<const T>& x, double* t, Pass, Tape&) const {
    const Windows all = windows(x.shape);
    const PositionSplit split = split_positions(all.field, all.most(x.shape.h), all.most(x.shape.w));
    machine.launch({split.blocks(all.field), plane_threads}, WindowMeanKernel<T>{split, all, x, t});
  }

  template <Machine M, class T>
  void backward(const M& machine, const TensorView<const T>& x, const double* dt, Pass, Tape& tape) const {
    const Windows all = windows(x.shape);
    machine.launch({PositionSplit{}.blocks(all.field), plane_threads}, WindowShareKernel{all, dt, tape.shares.data()});
  }

  [[nodiscard]] View view(const Shape& x, const Tape& tape) const { return {windows(x), tape.shares.data()}; }

  template <class Self, class V>
  static void visit(Self&, V&&) {}

 private:
  [[nodiscard]] Windows windows(const Shape& x) const {
    return {x, field(x), extent_ == 0 ? -1 : std::countr_zero(static_cast<std::uint64_t>(extent_))};
  }

  Index extent_;
};

}  // namespace recal::cuda
