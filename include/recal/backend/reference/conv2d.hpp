// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <recal/backend/conv_finish.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/tensor.hpp>

/// Convolutions by their definition: plain loops, sums in double. Letters as in backend/cpu/conv2d.hpp.
namespace recal {

namespace reference::detail {

/// Products of one weight with a row: outputs (n, o, oy, ox + k) and inputs (n, i, iy, ix + k * stride), k < count.
struct Run {
  Index n, o, oy, ox;
  Index i, iy, ix;
  Index tap;  ///< index of the weight
  Index count;
};

/// Calls f(run) for all products in a convolution of x [N, I, H, W] to y.
template <class F>
void for_each_run(const Shape& x, const Shape& y, const Window& window, Index groups, const F& f) {
  const Index inputs = x.c / groups;
  const Index outputs = y.c / groups;
  std::vector<TapReach> rows;
  std::vector<TapReach> columns;
  for (Index k = 0; k < window.kernel; ++k) {
    rows.emplace_back(window, k, x.h, y.h);
    columns.emplace_back(window, k, x.w, y.w);
  }
  for (Index n = 0; n < y.n; ++n)
    for (Index o = 0; o < y.c; ++o) {
      const Index first_input = o / outputs * inputs;
      Index tap = o * inputs * window.area();
      for (Index i = first_input; i < first_input + inputs; ++i)
        for (const TapReach& r : rows)
          for (const TapReach& c : columns) {
            for (Index oy = r.first; c.first < c.last && oy < r.last; ++oy)
              f(Run{n, o, oy, c.first, i, oy * window.stride + r.shift, c.first * window.stride + c.shift, tap,
                    c.last - c.first});
            ++tap;
          }
    }
}

/// A window of one pixel sees each plane as one long row.
[[nodiscard]] inline Shape seen(const Shape& s, const Window& window) {
  return window == Window{} ? Shape{s.n, s.c, 1, s.plane()} : s;
}

/// The sums of a tensor in double, on their way to T.
class Sums {
 public:
  explicit Sums(const Shape& shape) : shape_(shape), values_(static_cast<std::size_t>(shape.size()), 0.0) {}

  [[nodiscard]] double& operator()(Index n, Index c, Index h, Index w) { return *from(n, c, h, w); }

  /// The sum at (n, c, h, w) and those after it in memory.
  [[nodiscard]] double* from(Index n, Index c, Index h, Index w) {
    return values_.data() + ((n * shape_.c + c) * shape_.h + h) * shape_.w + w;
  }

  template <class T>
  void finish(const ConvFinish<T>& f) {
    for (Index n = 0; n < shape_.n; ++n)
      for (Index c = 0; c < shape_.c; ++c)
        for (Index h = 0; h < shape_.h; ++h)
          for (Index w = 0; w < shape_.w; ++w) {
            double& sum = (*this)(n, c, h, w);
            sum = sum * static_cast<double>(f.scale_of(c)) + static_cast<double>(f.shift_of(c));
            if (f.shortcut.data != nullptr) sum += static_cast<double>(f.shortcut(n, c, h, w));
            if (f.relu && sum < 0) sum = 0;
          }
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
  using namespace reference::detail;
  Sums sums(y.shape);
  start.visit([&](const auto& maps) {
    for_each_run(seen(x.shape, window), seen(y.shape, window), window, groups, [&](const Run& r) {
      const auto f = maps.template of<double>(r.i);
      const auto w = static_cast<double>(weight[r.tap]);
      double* sum = sums.from(r.n, r.o, r.oy, r.ox);
      const T* in = &x(r.n, r.i, r.iy, r.ix);
      for (Index k = 0; k < r.count; ++k) sum[k] += w * f(static_cast<double>(in[k * window.stride]));
    });
  });
  sums.finish(finish);
  sums.write(y);
}

/// dx(n, i, iy, ix) = finish(sum of weight(o, i, ky, kx) dy(n, o, oy, ox) over the outputs that saw the pixel);
/// assigned.
template <class T>
void conv2d_backward_data(const Reference&, const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx,
                          const Window& window, Index groups, const ConvFinish<T>& finish = {}) {
  using namespace reference::detail;
  Sums sums(dx.shape);
  for_each_run(seen(dx.shape, window), seen(dy.shape, window), window, groups, [&](const Run& r) {
    const auto w = static_cast<double>(weight[r.tap]);
    double* sum = sums.from(r.n, r.i, r.iy, r.ix);
    const T* out = &dy(r.n, r.o, r.oy, r.ox);
    for (Index k = 0; k < r.count; ++k) sum[k * window.stride] += w * static_cast<double>(out[k]);
  });
  sums.finish(finish);
  sums.write(dx);
}

/// dweight(o, i, ky, kx) += sum_{n, oy, ox} dy(n, o, oy, ox) start(x(n, i, iy, ix)); dbias(o) += sum dy, unless null.
template <class T>
void conv2d_backward_weight(const Reference&, const TensorView<const T>& x, const TensorView<const T>& dy, T* dweight,
                            T* dbias, const Window& window, Index groups, const ConvStart<T>& start = {}) {
  using namespace reference::detail;
  Buffer<double> sums(static_cast<std::size_t>(dy.shape.c * (x.shape.c / groups) * window.area()), 0.0);
  start.visit([&](const auto& maps) {
    for_each_run(seen(x.shape, window), seen(dy.shape, window), window, groups, [&](const Run& r) {
      const auto f = maps.template of<double>(r.i);
      const T* out = &dy(r.n, r.o, r.oy, r.ox);
      const T* in = &x(r.n, r.i, r.iy, r.ix);
      double& sum = at(sums, r.tap);
      for (Index k = 0; k < r.count; ++k)
        sum += static_cast<double>(out[k]) * f(static_cast<double>(in[k * window.stride]));
    });
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
