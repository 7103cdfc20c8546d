// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/core/shape.hpp>

namespace recal {

/// One plane's convolution with one filter, as GE's gather uses it: either 3x3 at stride 2 with a
/// border of one zero, or the whole map at once.
///   y[p,q] = sum_{a,b} w[a,b] x[p*stride + a - pad, q*stride + b - pad]
struct DepthwisePlane {
  Index in_h;
  Index in_w;
  Index kernel_h;
  Index kernel_w;
  Index stride;
  Index pad;

  [[nodiscard]] static DepthwisePlane halving(Index h, Index w) { return {h, w, 3, 3, 2, 1}; }
  [[nodiscard]] static DepthwisePlane whole(Index h, Index w) { return {h, w, h, w, 1, 0}; }

  [[nodiscard]] Index out_h() const { return (in_h + 2 * pad - kernel_h) / stride + 1; }
  [[nodiscard]] Index out_w() const { return (in_w + 2 * pad - kernel_w) / stride + 1; }
  [[nodiscard]] Index in_size() const { return in_h * in_w; }
  [[nodiscard]] Index out_size() const { return out_h() * out_w(); }
  [[nodiscard]] Index kernel_size() const { return kernel_h * kernel_w; }

  /// y assigned
  template <class T, class W>
  void forward(const T* x, const W* w, double* y) const {
    std::fill(y, y + out_size(), 0.0);
    for_each_product(
        [&](Index to, Index tap, Index from) { y[to] += static_cast<double>(w[tap]) * static_cast<double>(x[from]); });
  }

  /// dw added
  template <class T>
  void weight_gradient(const T* x, const double* dy, double* dw) const {
    for_each_product([&](Index to, Index tap, Index from) { dw[tap] += dy[to] * static_cast<double>(x[from]); });
  }

  /// dx assigned
  template <class W>
  void data_gradient(const double* dy, const W* w, double* dx) const {
    std::fill(dx, dx + in_size(), 0.0);
    for_each_product([&](Index to, Index tap, Index from) { dx[from] += dy[to] * static_cast<double>(w[tap]); });
  }

 private:
  /// f(output, tap, input) for every product of the convolution, outputs outermost.
  template <class F>
  void for_each_product(const F& f) const {
    for (Index p = 0; p < out_h(); ++p)
      for (Index q = 0; q < out_w(); ++q)
        for (Index a = 0; a < kernel_h; ++a) {
          const Index i = p * stride + a - pad;
          if (i < 0 || i >= in_h) continue;
          for (Index b = 0; b < kernel_w; ++b) {
            const Index j = q * stride + b - pad;
            if (j >= 0 && j < in_w) f(p * out_w() + q, a * kernel_w + b, i * in_w + j);
          }
        }
  }
};

}  // namespace recal
