// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/conv_finish.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/tensor.hpp>

/// Convolutions by their definition: plain loops, sums in double. Letters as in backend/cpu/conv2d.hpp.
namespace recal {

namespace reference::detail {

/// f(n, o, oy, ox, i, iy, ix, index of the weight) for every product in a convolution of x [N, I, H, W] to y.
template <class F>
void for_each_product(const Shape& x, const Shape& y, const Window& window, Index groups, const F& f) {
  const Index inputs = x.c / groups;
  for (Index n = 0; n < y.n; ++n)
    for (Index o = 0; o < y.c; ++o)
      for (Index i = 0; i < inputs; ++i)
        for (Index ky = 0; ky < window.kernel; ++ky)
          for (Index kx = 0; kx < window.kernel; ++kx) {
            const Index channel = o / (y.c / groups) * inputs + i;
            const Index tap = ((o * inputs + i) * window.kernel + ky) * window.kernel + kx;
            for (Index oy = 0; oy < y.h; ++oy) {
              const Index iy = oy * window.stride + ky - window.padding;
              if (iy < 0 || iy >= x.h) continue;
              for (Index ox = 0; ox < y.w; ++ox) {
                const Index ix = ox * window.stride + kx - window.padding;
                if (ix >= 0 && ix < x.w) f(n, o, oy, ox, channel, iy, ix, tap);
              }
            }
          }
}

/// What the start makes of x, in double.
template <class T>
[[nodiscard]] double started(const ConvStart<T>& start, Index i, T x) {
  const auto value = static_cast<double>(x);
  return start.empty() ? value : start.template of<double>(i)(value);
}

/// The sums of a tensor in double, on their way to T.
class Sums {
 public:
  explicit Sums(const Shape& shape) : shape_(shape), values_(static_cast<std::size_t>(shape.size()), 0.0) {}

  [[nodiscard]] double& operator()(Index n, Index c, Index h, Index w) {
    return at(values_, ((n * shape_.c + c) * shape_.h + h) * shape_.w + w);
  }

  template <class T>
  void write(const TensorView<T>& to) {
    for (Index n = 0; n < shape_.n; ++n)
      for (Index c = 0; c < shape_.c; ++c)
        for (Index k = 0; k < shape_.plane(); ++k)
          to.plane(n, c)[k] = static_cast<T>(at(values_, (n * shape_.c + c) * shape_.plane() + k));
  }

 private:
  Shape shape_;
  Buffer<double> values_;
};

}  // namespace reference::detail

/// y(n, o, oy, ox) = finish(sum_{i, ky, kx} weight(o, i, ky, kx) start(x(n, i, oy s + ky - p, ox s + kx - p)))
template <class T>
void conv2d(const Reference&, const TensorView<const T>& x, const T* weight, const TensorView<T>& y,
            const Window& window, Index groups, const ConvFinish<T>& finish = {}, const ConvStart<T>& start = {}) {
  reference::detail::Sums sums(y.shape);
  reference::detail::for_each_product(
      x.shape, y.shape, window, groups,
      [&](Index n, Index o, Index oy, Index ox, Index i, Index iy, Index ix, Index tap) {
        sums(n, o, oy, ox) += static_cast<double>(weight[tap]) * reference::detail::started(start, i, x(n, i, iy, ix));
      });
  for (Index n = 0; n < y.shape.n; ++n)
    for (Index o = 0; o < y.shape.c; ++o)
      for (Index oy = 0; oy < y.shape.h; ++oy)
        for (Index ox = 0; ox < y.shape.w; ++ox) {
          double& sum = sums(n, o, oy, ox);
          sum = sum * static_cast<double>(finish.scale_of(o)) + static_cast<double>(finish.shift_of(o));
          if (finish.shortcut.data != nullptr) sum += static_cast<double>(finish.shortcut(n, o, oy, ox));
          if (finish.relu && sum < 0) sum = 0;
        }
  sums.write(y);
}

/// dx(n, i, iy, ix) = sum of weight(o, i, ky, kx) dy(n, o, oy, ox) over the outputs that saw the pixel; assigned.
template <class T>
void conv2d_backward_data(const Reference&, const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx,
                          const Window& window, Index groups) {
  reference::detail::Sums sums(dx.shape);
  reference::detail::for_each_product(
      dx.shape, dy.shape, window, groups,
      [&](Index n, Index o, Index oy, Index ox, Index i, Index iy, Index ix, Index tap) {
        sums(n, i, iy, ix) += static_cast<double>(weight[tap]) * static_cast<double>(dy(n, o, oy, ox));
      });
  sums.write(dx);
}

/// dweight(o, i, ky, kx) += sum_{n, oy, ox} dy(n, o, oy, ox) start(x(n, i, iy, ix)); dbias(o) += sum dy, unless null.
template <class T>
void conv2d_backward_weight(const Reference&, const TensorView<const T>& x, const TensorView<const T>& dy, T* dweight,
                            T* dbias, const Window& window, Index groups, const ConvStart<T>& start = {}) {
  Buffer<double> sums(static_cast<std::size_t>(dy.shape.c * (x.shape.c / groups) * window.area()), 0.0);
  reference::detail::for_each_product(
      x.shape, dy.shape, window, groups,
      [&](Index n, Index o, Index oy, Index ox, Index i, Index iy, Index ix, Index tap) {
        at(sums, tap) += static_cast<double>(dy(n, o, oy, ox)) * reference::detail::started(start, i, x(n, i, iy, ix));
      });
  for (Index i = 0; i < static_cast<Index>(sums.size()); ++i)
    dweight[i] = static_cast<T>(static_cast<double>(dweight[i]) + at(sums, i));
  if (dbias == nullptr) return;
  for (Index o = 0; o < dy.shape.c; ++o) {
    double sum = 0;
    for (Index n = 0; n < dy.shape.n; ++n)
      for (Index k = 0; k < dy.shape.plane(); ++k) sum += static_cast<double>(dy.plane(n, o)[k]);
    dbias[o] = static_cast<T>(static_cast<double>(dbias[o]) + sum);
  }
}

}  // namespace recal
