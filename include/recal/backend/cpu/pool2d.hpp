// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/cpu/window_maxima.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/tensor.hpp>

/// Poolings over windows and over whole planes, parallel over planes. x [N, C, H, W], y [N, C, H', W'].
namespace recal {

namespace cpu::detail {

/// The part of a window that lies inside the plane.
struct Inside {
  Index begin, end;

  Inside(Index position, const Window& window, Index size)
      : begin(std::max<Index>(0, position * window.stride - window.padding)),
        end(std::min(size, position * window.stride - window.padding + window.kernel)) {}
};

template <class F>
void for_each_plane(const Shape& shape, Index work, const F& f) {
  parallel_for(shape.n * shape.c, 1 + 16384 / (1 + work), [&](Index i) { f(i / shape.c, i % shape.c, i); });
}

/// What the start makes of a plane of channel c, in memory of the thread's own.
template <class T>
[[nodiscard]] const T* started_plane(const ConvStart<T>& start, Index c, Index count, const T* plane) {
  thread_local Buffer<T> memory;
  resize(memory, count);
  map(count, memory.data(), start.of(c), plane);
  return memory.data();
}

/// y = the maxima of the windows of a plane, and, with Located, where they lie.
template <bool Located, class T>
void find_maxima(const Shape& x, const T* plane, const Window& window, const Shape& y, T* best, std::int32_t* where) {
  thread_local WindowMaxima<T, Located> maxima;
  maxima.prepare(x.w, window);
  for (Index oy = 0; oy < y.h; ++oy) {
    const Inside rows(oy, window, x.h);
    maxima.look_at(plane, rows.begin, rows.end);
    maxima.find(y.w, best + oy * y.w, Located ? where + oy * y.w : nullptr);
  }
}

/// f(output index in the plane, its rows, its columns, 1 / its pixels)
template <class F>
void for_each_window(const Shape& x, const Shape& y, const Window& window, bool count_padding, const F& f) {
  for (Index oy = 0; oy < y.h; ++oy)
    for (Index ox = 0; ox < y.w; ++ox) {
      const Inside rows(oy, window, x.h);
      const Inside columns(ox, window, x.w);
      const Index pixels = (rows.end - rows.begin) * (columns.end - columns.begin);
      f(oy * y.w + ox, rows, columns, 1.0 / static_cast<double>(count_padding ? window.area() : pixels));
    }
}

}  // namespace cpu::detail

/// y = maximum of start(x) over each window; arg_max (unless null) [N, C, H', W'] = where in the plane the first one
/// lies. With a start a plane is mapped once, in cache.
template <class T>
void max_pool2d(const Cpu&, const TensorView<const T>& x, const TensorView<T>& y, const Window& window,
                std::int32_t* arg_max,  // NOLINT(readability-non-const-parameter)
                const ConvStart<T>& start = {}) {
  const Index size = y.shape.plane();
  cpu::detail::for_each_plane(y.shape, size * window.area(), [&](Index n, Index c, Index index) {
    const T* from = x.plane(n, c);
    if (!start.empty()) from = cpu::detail::started_plane(start, c, x.shape.plane(), from);
    if (arg_max != nullptr)
      cpu::detail::find_maxima<true>(x.shape, from, window, y.shape, y.plane(n, c), arg_max + index * size);
    else
      cpu::detail::find_maxima<false>(x.shape, from, window, y.shape, y.plane(n, c), nullptr);
  });
}

/// dx = 0, then dx(arg_max) += dy.
template <class T>
void max_pool2d_backward(const Cpu&, const TensorView<const T>& dy, const TensorView<T>& dx,
                         const std::int32_t* arg_max) {
  const Index size = dy.shape.plane();
  cpu::detail::for_each_plane(dx.shape, dx.shape.plane(), [&](Index n, Index c, Index index) {
    T* to = dx.plane(n, c);
    const T* from = dy.plane(n, c);
    std::fill_n(to, dx.shape.plane(), T{});
    for (Index k = 0; k < size; ++k) to[arg_max[index * size + k]] += from[k];
  });
}

/// y = mean of each window, over the pixels inside the plane or, with count_padding, over kernel^2.
template <class T>
void avg_pool2d(const Cpu&, const TensorView<const T>& x, const TensorView<T>& y, const Window& window,
                bool count_padding) {
  cpu::detail::for_each_plane(y.shape, y.shape.plane() * window.area(), [&](Index n, Index c, Index) {
    const T* from = x.plane(n, c);
    T* to = y.plane(n, c);
    cpu::detail::for_each_window(x.shape, y.shape, window, count_padding,
                                 [&](Index k, const auto& rows, const auto& columns, double share) {
                                   double sum = 0;
                                   for (Index i = rows.begin; i < rows.end; ++i)
                                     for (Index j = columns.begin; j < columns.end; ++j)
                                       sum += static_cast<double>(from[i * x.shape.w + j]);
                                   to[k] = static_cast<T>(sum * share);
                                 });
  });
}

/// dx = sum of dy / pixels over the windows that see a pixel.
template <class T>
void avg_pool2d_backward(const Cpu&, const TensorView<const T>& dy, const TensorView<T>& dx, const Window& window,
                         bool count_padding) {
  cpu::detail::for_each_plane(dx.shape, dy.shape.plane() * window.area(), [&](Index n, Index c, Index) {
    const T* from = dy.plane(n, c);
    T* to = dx.plane(n, c);
    std::fill_n(to, dx.shape.plane(), T{});
    cpu::detail::for_each_window(dx.shape, dy.shape, window, count_padding,
                                 [&](Index k, const auto& rows, const auto& columns, double share) {
                                   const T part = static_cast<T>(static_cast<double>(from[k]) * share);
                                   for (Index i = rows.begin; i < rows.end; ++i)
                                     for (Index j = columns.begin; j < columns.end; ++j) to[i * dx.shape.w + j] += part;
                                 });
  });
}

/// y(n, c) = mean of x(n, c).
template <class T>
void global_avg_pool(const Cpu&, const TensorView<const T>& x, const TensorView<T>& y) {
  const Index size = x.shape.plane();
  cpu::detail::for_each_plane(x.shape, size, [&](Index n, Index c, Index) {
    const T* from = x.plane(n, c);
    double sum = 0;
    for (Index k = 0; k < size; ++k) sum += static_cast<double>(from[k]);
    *y.plane(n, c) = static_cast<T>(sum / static_cast<double>(size));
  });
}

/// dx(n, c) = dy(n, c) / (H W) everywhere.
template <class T>
void global_avg_pool_backward(const Cpu&, const TensorView<const T>& dy, const TensorView<T>& dx) {
  const Index size = dx.shape.plane();
  cpu::detail::for_each_plane(dx.shape, size, [&](Index n, Index c, Index) {
    const T share = static_cast<T>(static_cast<double>(*dy.plane(n, c)) / static_cast<double>(size));
    std::fill_n(dx.plane(n, c), size, share);
  });
}

}  // namespace recal
