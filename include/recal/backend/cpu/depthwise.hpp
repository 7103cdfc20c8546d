// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/parallel.hpp>
#include <recal/core/tensor.hpp>

/// Convolutions with one filter for each channel: plain loops over planes, parallel over planes or channels.
namespace recal::cpu {

[[nodiscard]] inline bool is_depthwise(const Shape& x, const Shape& y, Index groups) {
  return groups > 1 && groups == x.c && groups == y.c;
}

/// A plane with its padding around it, so that loops over windows need no tests.
template <class T>
class PaddedPlane {
 public:
  PaddedPlane(Buffer<T>& memory, Index h, Index w, Index padding)
      : h_(h), w_(w), padding_(padding), pitch_(w + 2 * padding) {
    memory.assign(static_cast<std::size_t>((h + 2 * padding) * pitch_), T{});
    data_ = memory.data();
  }

  [[nodiscard]] Index pitch() const noexcept { return pitch_; }
  [[nodiscard]] T* data() const noexcept { return data_; }

  void read(const T* plane) const {
    for (Index i = 0; i < h_; ++i) std::copy_n(plane + i * w_, w_, inner(i));
  }
  /// The plane as channel c's map makes it.
  void read(const T* plane, const ConvStart<T>& start, Index c) const {
    if (start.empty()) return read(plane);
    for (Index i = 0; i < h_; ++i) map(w_, inner(i), start.of(c), plane + i * w_);
  }
  void write(T* plane) const {
    for (Index i = 0; i < h_; ++i) std::copy_n(inner(i), w_, plane + i * w_);
  }

 private:
  [[nodiscard]] T* inner(Index i) const { return data_ + (i + padding_) * pitch_ + padding_; }

  T* data_ = nullptr;
  Index h_, w_, padding_, pitch_;
};

namespace detail {

template <class T>
[[nodiscard]] Buffer<T>& plane_memory() {
  thread_local Buffer<T> memory;
  return memory;
}

/// f(tap, row of the output, first input element that the tap sees in that row) for all taps and rows.
template <class T, class F>
void for_each_tap(const PaddedPlane<T>& plane, const Window& window, Index out_h, const F& f) {
  for (Index oy = 0; oy < out_h; ++oy)
    for (Index ky = 0; ky < window.kernel; ++ky)
      for (Index kx = 0; kx < window.kernel; ++kx)
        f(ky * window.kernel + kx, oy, plane.data() + (oy * window.stride + ky) * plane.pitch() + kx);
}

template <class T>
void add_strided(Index count, T factor, const T* from, Index step, T* to) {
  if (step == 1)
    for (Index i = 0; i < count; ++i) to[i] += factor * from[i];
  else
    for (Index i = 0; i < count; ++i) to[i] += factor * from[i * step];
}

}  // namespace detail

/// y(n, c) = weight(c) * start(x(n, c)), each a convolution of planes.
template <class T>
void depthwise_conv2d(const TensorView<const T>& x, const T* weight, const TensorView<T>& y, const Window& window,
                      const ConvStart<T>& start = {}) {
  const Shape s = y.shape;
  parallel_for(s.n * s.c, 1 + 4096 / (s.plane() * window.area()), [&](Index index) {
    const Index c = index % s.c;
    const PaddedPlane<T> plane(detail::plane_memory<T>(), x.shape.h, x.shape.w, window.padding);
    plane.read(x.plane(index / s.c, c), start, c);
    T* out = y.plane(index / s.c, c);
    std::fill_n(out, s.plane(), T{});
    detail::for_each_tap(plane, window, s.h, [&](Index tap, Index oy, const T* from) {
      detail::add_strided(s.w, weight[c * window.area() + tap], from, window.stride, out + oy * s.w);
    });
  });
}

/// dx(n, c) = the transpose of weight(c) on dy(n, c).
template <class T>
void depthwise_conv2d_backward_data(const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx,
                                    const Window& window) {
  const Shape s = dy.shape;
  parallel_for(s.n * s.c, 1 + 4096 / (s.plane() * window.area()), [&](Index index) {
    const Index c = index % s.c;
    const PaddedPlane<T> plane(detail::plane_memory<T>(), dx.shape.h, dx.shape.w, window.padding);
    const T* from = dy.plane(index / s.c, c);
    detail::for_each_tap(plane, window, s.h, [&](Index tap, Index oy, T* to) {
      const T factor = weight[c * window.area() + tap];
      for (Index i = 0; i < s.w; ++i) to[i * window.stride] += factor * from[oy * s.w + i];
    });
    plane.write(dx.plane(index / s.c, c));
  });
}

/// dweight(c) += sum_n dy(n, c) against the windows of start(x(n, c)).
template <class T>
void depthwise_conv2d_backward_weight(const TensorView<const T>& x, const TensorView<const T>& dy, T* dweight,
                                      const Window& window, const ConvStart<T>& start = {}) {
  const Shape s = dy.shape;
  parallel_for(s.c, [&](Index c) {
    const PaddedPlane<T> plane(detail::plane_memory<T>(), x.shape.h, x.shape.w, window.padding);
    T* own = dweight + c * window.area();
    for (Index n = 0; n < s.n; ++n) {
      plane.read(x.plane(n, c), start, c);
      const T* gradient = dy.plane(n, c);
      detail::for_each_tap(plane, window, s.h, [&](Index tap, Index oy, const T* from) {
        T sum{};
        for (Index i = 0; i < s.w; ++i) sum += gradient[oy * s.w + i] * from[i * window.stride];
        own[tap] += sum;
      });
    }
  });
}

}  // namespace recal::cpu
