// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include <recal/backend/reference/backend.hpp>
#include <recal/backend/reference/conv2d.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/tensor.hpp>

/// Poolings by their definition: plain loops, sums in double. Meaning as in backend/cpu/pool2d.hpp.
namespace recal {

namespace reference::detail {

/// f(n, c, oy, ox, iy, ix) for every pixel that every window sees, windows in order, pixels row by row.
template <class F>
void for_each_pooled(const Shape& x, const Shape& y, const Window& window, const F& f) {
  for (Index c = 0; c < y.c; ++c)
    for_each_run({x.n, 1, x.h, x.w}, {y.n, 1, y.h, y.w}, window, 1, [&](const Run& r) {
      for (Index k = 0; k < r.count; ++k) f(r.n, c, r.oy, r.ox + k, r.iy, r.ix + k * window.stride);
    });
}

/// What the start makes of x, in double.
template <class T>
[[nodiscard]] double started(const ConvStart<T>& start, Index i, T x) {
  const auto value = static_cast<double>(x);
  return start.empty() ? value : start.template of<double>(i)(value);
}

/// The number by which a window's sum is divided.
[[nodiscard]] inline double pixels(const Shape& x, const Window& window, bool count_padding, Index oy, Index ox) {
  if (count_padding) return static_cast<double>(window.area());
  Index count = 0;
  for_each_run({1, 1, x.h, x.w}, {1, 1, window.positions(x.h), window.positions(x.w)}, window, 1,
               [&](const Run& r) { count += r.oy == oy && r.ox <= ox && ox < r.ox + r.count; });
  return static_cast<double>(count);
}

}  // namespace reference::detail

/// y = maximum of start(x) over each window; arg_max (unless null) = where in the plane the first one lies. NaN wins.
template <class T>
void max_pool2d(const Reference&, const TensorView<const T>& x, const TensorView<T>& y, const Window& window,
                std::int32_t* arg_max, const ConvStart<T>& start = {}) {
  const auto seen = [&](Index n, Index c, Index k) { return reference::detail::started(start, c, x.plane(n, c)[k]); };
  Buffer<Index> best(static_cast<std::size_t>(y.shape.size()), Index{-1});
  reference::detail::for_each_pooled(x.shape, y.shape, window,
                                     [&](Index n, Index c, Index oy, Index ox, Index iy, Index ix) {
                                       const Index output = ((n * y.shape.c + c) * y.shape.h + oy) * y.shape.w + ox;
                                       const double value = seen(n, c, iy * x.shape.w + ix);
                                       Index& found = at(best, output);
                                       const double maximum = found < 0 ? value : seen(n, c, found);
                                       if (found < 0 || value > maximum || (std::isnan(value) && !std::isnan(maximum)))
                                         found = iy * x.shape.w + ix;
                                     });
  for (Index n = 0; n < y.shape.n; ++n)
    for (Index c = 0; c < y.shape.c; ++c)
      for (Index k = 0; k < y.shape.plane(); ++k) {
        const Index output = (n * y.shape.c + c) * y.shape.plane() + k;
        y.plane(n, c)[k] = static_cast<T>(seen(n, c, at(best, output)));
        if (arg_max != nullptr) arg_max[output] = static_cast<std::int32_t>(at(best, output));
      }
}

/// dx = 0, then dx(arg_max) += dy.
template <class T>
void max_pool2d_backward(const Reference&, const TensorView<const T>& dy, const TensorView<T>& dx,
                         const std::int32_t* arg_max) {
  reference::detail::Sums sums(dx.shape);
  for (Index n = 0; n < dy.shape.n; ++n)
    for (Index c = 0; c < dy.shape.c; ++c)
      for (Index k = 0; k < dy.shape.plane(); ++k, ++arg_max)
        sums(n, c, *arg_max / dx.shape.w, *arg_max % dx.shape.w) += static_cast<double>(dy.plane(n, c)[k]);
  sums.write(dx);
}

/// y = mean of each window, over the pixels inside the plane or, with count_padding, over kernel^2.
template <class T>
void avg_pool2d(const Reference&, const TensorView<const T>& x, const TensorView<T>& y, const Window& window,
                bool count_padding) {
  reference::detail::Sums sums(y.shape);
  reference::detail::for_each_pooled(x.shape, y.shape, window,
                                     [&](Index n, Index c, Index oy, Index ox, Index iy, Index ix) {
                                       sums(n, c, oy, ox) += static_cast<double>(x(n, c, iy, ix));
                                     });
  for (Index oy = 0; oy < y.shape.h; ++oy)
    for (Index ox = 0; ox < y.shape.w; ++ox) {
      const double count = reference::detail::pixels(x.shape, window, count_padding, oy, ox);
      for (Index n = 0; n < y.shape.n; ++n)
        for (Index c = 0; c < y.shape.c; ++c) sums(n, c, oy, ox) /= count;
    }
  sums.write(y);
}

/// dx = sum of dy / pixels over the windows that see a pixel.
template <class T>
void avg_pool2d_backward(const Reference&, const TensorView<const T>& dy, const TensorView<T>& dx, const Window& window,
                         bool count_padding) {
  reference::detail::Sums shares(dy.shape);
  for (Index oy = 0; oy < dy.shape.h; ++oy)
    for (Index ox = 0; ox < dy.shape.w; ++ox) {
      const double count = reference::detail::pixels(dx.shape, window, count_padding, oy, ox);
      for (Index n = 0; n < dy.shape.n; ++n)
        for (Index c = 0; c < dy.shape.c; ++c) shares(n, c, oy, ox) = static_cast<double>(dy(n, c, oy, ox)) / count;
    }
  reference::detail::Sums sums(dx.shape);
  reference::detail::for_each_pooled(
      dx.shape, dy.shape, window,
      [&](Index n, Index c, Index oy, Index ox, Index iy, Index ix) { sums(n, c, iy, ix) += shares(n, c, oy, ox); });
  sums.write(dx);
}

/// y(n, c) = mean of x(n, c).
template <class T>
void global_avg_pool(const Reference&, const TensorView<const T>& x, const TensorView<T>& y) {
  for (Index n = 0; n < x.shape.n; ++n)
    for (Index c = 0; c < x.shape.c; ++c) {
      double sum = 0;
      for (Index k = 0; k < x.shape.plane(); ++k) sum += static_cast<double>(x.plane(n, c)[k]);
      *y.plane(n, c) = static_cast<T>(sum / static_cast<double>(x.shape.plane()));
    }
}

/// dx(n, c) = dy(n, c) / (H W) everywhere.
template <class T>
void global_avg_pool_backward(const Reference&, const TensorView<const T>& dy, const TensorView<T>& dx) {
  for (Index n = 0; n < dx.shape.n; ++n)
    for (Index c = 0; c < dx.shape.c; ++c)
      for (Index k = 0; k < dx.shape.plane(); ++k)
        dx.plane(n, c)[k] =
            static_cast<T>(static_cast<double>(*dy.plane(n, c)) / static_cast<double>(dx.shape.plane()));
}

}  // namespace recal
