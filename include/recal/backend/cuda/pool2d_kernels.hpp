// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <recal/backend/cuda/planes.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/scalar.hpp>
#include <recal/pool/mean.hpp>

/// The kernels of backend/cuda/pool2d.hpp. A team has a stretch of a plane of what is written, a lane every team'th
/// pixel of it: no two lanes write one place, and a pixel's sum is put together in the order of the plane.
namespace recal::cuda {

namespace detail {

/// Positions from `begin` up to `end` along one axis.
struct Run {
  Index begin;
  Index end;

  [[nodiscard]] RECAL_HOST_DEVICE Index count() const { return end - begin; }
};

/// The pixels that the window at `position` sees, of `size`.
[[nodiscard]] RECAL_HOST_DEVICE inline Run pixels_of(Index position, const Window& window, Index size) {
  const Index first = position * window.stride - window.padding;
  const Index last = first + window.kernel;
  return {first > 0 ? first : 0, last < size ? last : size};
}

/// The windows that see a pixel, of `positions`.
[[nodiscard]] RECAL_HOST_DEVICE inline Run windows_of(Index pixel, const Window& window, Index positions) {
  const Index from = pixel + window.padding - window.kernel;  // the last pixel that is too early, in the padded plane
  const Index last = (pixel + window.padding) / window.stride + 1;
  return {from < 0 ? 0 : from / window.stride + 1, last < positions ? last : positions};
}

/// By what a window's sum is divided.
template <class A>
[[nodiscard]] RECAL_HOST_DEVICE A divisor(const Window& window, bool count_padding, const Run& rows,
                                          const Run& columns) {
  return static_cast<A>(count_padding ? window.kernel * window.kernel : rows.count() * columns.count());
}

}  // namespace detail

template <class T>
struct MaxPoolKernel {
  Groups groups;  // of y
  Split split;
  Window window;
  TensorView<const T> x;
  TensorView<T> y;
  std::int32_t* arg_max;  // or null

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (!item.there) return;
    const T* from = x.plane(item.plane.n, item.plane.c);
    T* to = y.plane(item.plane.n, item.plane.c);
    for (Index k = item.stretch.begin + item.team.lane(); k < item.stretch.end; k += split.team) {
      const detail::Run rows = detail::pixels_of(k / y.shape.w, window, x.shape.h);
      const detail::Run columns = detail::pixels_of(k % y.shape.w, window, x.shape.w);
      const Index best = find(ctx, from, rows, columns);
      ctx.store(to + k, ctx.load(from + best));
      if (arg_max != nullptr)
        ctx.store(arg_max + item.plane.row * y.shape.plane() + k, static_cast<std::int32_t>(best));
    }
  }

 private:
  /// The first of the largest, row by row; of NaNs where there is one.
  template <class Context>
  [[nodiscard]] RECAL_HOST_DEVICE Index find(const Context& ctx, const T* from, const detail::Run& rows,
                                             const detail::Run& columns) const {
    using A = accumulator_t<T>;
    Index best = rows.begin * x.shape.w + columns.begin;
    A maximum = widen<A>(ctx.load(from + best));
    for (Index i = rows.begin; i < rows.end; ++i)
      for (Index j = columns.begin; j < columns.end; ++j) {
        const A value = widen<A>(ctx.load(from + i * x.shape.w + j));
        if (value > maximum || (is_nan(value) && !is_nan(maximum))) {
          maximum = value;
          best = i * x.shape.w + j;
        }
      }
    return best;
  }
};

template <class T>
struct MaxPoolBackwardKernel {
  Groups groups;  // of dx
  Split split;
  Window window;
  TensorView<const T> dy;
  TensorView<T> dx;
  const std::int32_t* arg_max;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    using A = accumulator_t<T>;
    const PlaneItem<Context> item(ctx, groups, split);
    if (!item.there) return;
    const T* from = dy.plane(item.plane.n, item.plane.c);
    T* to = dx.plane(item.plane.n, item.plane.c);
    const std::int32_t* chosen = arg_max + item.plane.row * dy.shape.plane();
    for (Index k = item.stretch.begin + item.team.lane(); k < item.stretch.end; k += split.team) {
      const detail::Run rows = detail::windows_of(k / dx.shape.w, window, dy.shape.h);
      const detail::Run columns = detail::windows_of(k % dx.shape.w, window, dy.shape.w);
      A sum = 0;
      for (Index i = rows.begin; i < rows.end; ++i)
        for (Index j = columns.begin; j < columns.end; ++j) {
          const Index o = i * dy.shape.w + j;
          if (ctx.load(chosen + o) == k) sum += widen<A>(ctx.load(from + o));
        }
      ctx.store(to + k, narrow<T>(sum));
    }
  }
};

template <class T>
struct AvgPoolKernel {
  Groups groups;  // of y
  Split split;
  Window window;
  bool count_padding;
  TensorView<const T> x;
  TensorView<T> y;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    using A = accumulator_t<T>;
    const PlaneItem<Context> item(ctx, groups, split);
    if (!item.there) return;
    const T* from = x.plane(item.plane.n, item.plane.c);
    T* to = y.plane(item.plane.n, item.plane.c);
    for (Index k = item.stretch.begin + item.team.lane(); k < item.stretch.end; k += split.team) {
      const detail::Run rows = detail::pixels_of(k / y.shape.w, window, x.shape.h);
      const detail::Run columns = detail::pixels_of(k % y.shape.w, window, x.shape.w);
      A sum = 0;
      for (Index i = rows.begin; i < rows.end; ++i) {
        A row = 0;  // rows first: fewer roundings one upon the other
        for (Index j = columns.begin; j < columns.end; ++j) row += widen<A>(ctx.load(from + i * x.shape.w + j));
        sum += row;
      }
      ctx.store(to + k, narrow<T>(sum / detail::divisor<A>(window, count_padding, rows, columns)));
    }
  }
};

template <class T>
struct AvgPoolBackwardKernel {
  Groups groups;  // of dx
  Split split;
  Window window;
  bool count_padding;
  TensorView<const T> dy;
  TensorView<T> dx;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    using A = accumulator_t<T>;
    const PlaneItem<Context> item(ctx, groups, split);
    if (!item.there) return;
    const T* from = dy.plane(item.plane.n, item.plane.c);
    T* to = dx.plane(item.plane.n, item.plane.c);
    for (Index k = item.stretch.begin + item.team.lane(); k < item.stretch.end; k += split.team) {
      const detail::Run rows = detail::windows_of(k / dx.shape.w, window, dy.shape.h);
      const detail::Run columns = detail::windows_of(k % dx.shape.w, window, dy.shape.w);
      A sum = 0;
      for (Index i = rows.begin; i < rows.end; ++i) {
        const detail::Run high = detail::pixels_of(i, window, dx.shape.h);
        A row = 0;
        for (Index j = columns.begin; j < columns.end; ++j)
          row += widen<A>(ctx.load(from + i * dy.shape.w + j)) /
                 detail::divisor<A>(window, count_padding, high, detail::pixels_of(j, window, dx.shape.w));
        sum += row;
      }
      ctx.store(to + k, narrow<T>(sum));
    }
  }
};

template <class T>
struct GlobalMeanKernel {
  Groups groups;
  Split split;
  TensorView<const T> x;
  TensorView<T> y;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (!item.there) return;  // a whole warp, of a block without barriers
    const Index count = x.shape.plane();
    const auto state = item.team.reduce(Mean{}, count, x.plane(item.plane.n, item.plane.c));
    double mean;
    Mean{}.finish(state, count, &mean);
    if (item.team.lane() == 0) ctx.store(y.plane(item.plane.n, item.plane.c), narrow<T>(mean));
  }
};

template <class T>
struct GlobalMeanBackwardKernel {
  Groups groups;
  Split split;
  TensorView<const T> dy;
  TensorView<T> dx;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    using A = accumulator_t<T>;
    const PlaneItem<Context> item(ctx, groups, split);
    if (!item.there) return;
    const A share = widen<A>(ctx.load(dy.plane(item.plane.n, item.plane.c))) / static_cast<A>(dx.shape.plane());
    item.team.map(dx.shape.plane(), dx.plane(item.plane.n, item.plane.c), [share] { return share; });
  }
};

}  // namespace recal::cuda
