// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <recal/backend/backend.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/pool2d.hpp>
#include <recal/backend/reference/pool2d.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/error.hpp>
#include <recal/core/tensor.hpp>
#include <recal/nn/pooled_shape.hpp>

namespace recal::nn {

/// What backward of a max pooling needs.
struct MaxPool2d {
  struct Tape {
    Buffer<std::int32_t> arg_max;  ///< for each output, h*W + w of its maximum in the input plane
    Shape input;
    Shape output;
  };
};

/// y(n, c, oy, ox) = max start(x) over the window at (oy, ox), where pixels of the padding do not count. NaN wins.
/// The first of equal maxima, row by row, is kept for backward.
template <class B, class X, class Y>
void max_pool2d(const B& backend, const X& x, Y&& y, const Window& window, MaxPool2d::Tape& tape,
                const ConvStart<scalar_t<X>>& start = {}) {
  const TensorView<const scalar_t<X>> in = view_of(x);
  const TensorView<scalar_t<X>> out = view_of(y);
  check_shape("a pooling's output", out.shape, detail::pooled_shape(window, in.shape));
  check(in.shape.plane() <= INT32_MAX, "a pooling's planes have more than 2^31 pixels: ", in.shape);
  resize(tape.arg_max, out.shape.size());
  tape.input = in.shape;
  tape.output = out.shape;
  recal::max_pool2d(backend, in, out, window, tape.arg_max.data(), start);
}

/// The same for inference, of x as it is: nothing is kept.
template <class B, class X, class Y>
void max_pool2d(const B& backend, const X& x, Y&& y, const Window& window) {
  const TensorView<const scalar_t<X>> in = view_of(x);
  const TensorView<scalar_t<X>> out = view_of(y);
  check_shape("a pooling's output", out.shape, detail::pooled_shape(window, in.shape));
  recal::max_pool2d(backend, in, out, window, nullptr);
}

/// dx = dy at the maxima, summed where windows share one, else 0; assigned; the gradient of start(x). requires: dx does
/// not overlap dy
template <class B, class D, class DX>
void max_pool2d_backward(const B& backend, const D& dy, DX&& dx, const Window& window, const MaxPool2d::Tape& tape) {
  const TensorView<const scalar_t<D>> gradient = view_of(dy);
  const TensorView<scalar_t<D>> out = view_of(dx);
  check_shape("a pooling's input gradient", out.shape, tape.input);
  check_shape("a pooling's output gradient", gradient.shape, tape.output);
  check_shape("a pooling's tape", tape.output, detail::pooled_shape(window, tape.input));
  recal::max_pool2d_backward(backend, gradient, out, tape.arg_max.data());
}

/// y(n, c, oy, ox) = sum of x over the window at (oy, ox) / its pixels. By default only pixels inside the image are
/// counted; with count_padding the divisor is kernel^2 everywhere (PyTorch's count_include_pad, its default).
template <class B, class X, class Y>
void avg_pool2d(const B& backend, const X& x, Y&& y, const Window& window, bool count_padding = false) {
  const TensorView<const scalar_t<X>> in = view_of(x);
  const TensorView<scalar_t<X>> out = view_of(y);
  check_shape("a pooling's output", out.shape, detail::pooled_shape(window, in.shape));
  recal::avg_pool2d(backend, in, out, window, count_padding);
}

/// dx = each window's dy / its pixels, summed over the windows that see the pixel; assigned.
template <class B, class D, class DX>
void avg_pool2d_backward(const B& backend, const D& dy, DX&& dx, const Window& window, bool count_padding = false) {
  const TensorView<const scalar_t<D>> gradient = view_of(dy);
  const TensorView<scalar_t<D>> out = view_of(dx);
  check_shape("a pooling's output gradient", gradient.shape, detail::pooled_shape(window, out.shape));
  recal::avg_pool2d_backward(backend, gradient, out, window, count_padding);
}

/// y(n, c) = mean of the plane x(n, c); y [N, C, 1, 1]
template <class B, class X, class Y>
void global_avg_pool(const B& backend, const X& x, Y&& y) {
  const TensorView<const scalar_t<X>> in = view_of(x);
  const TensorView<scalar_t<X>> out = view_of(y);
  check(in.shape.plane() >= 1 || in.shape.n * in.shape.c == 0, "the mean of empty planes: ", in.shape);
  check_shape("a global pooling's output", out.shape, {in.shape.n, in.shape.c, 1, 1});
  recal::global_avg_pool(backend, in, out);
}

/// dx(n, c, h, w) = dy(n, c) / (H W); assigned.
template <class B, class D, class DX>
void global_avg_pool_backward(const B& backend, const D& dy, DX&& dx) {
  const TensorView<const scalar_t<D>> gradient = view_of(dy);
  const TensorView<scalar_t<D>> out = view_of(dx);
  check_shape("a global pooling's output gradient", gradient.shape, {out.shape.n, out.shape.c, 1, 1});
  recal::global_avg_pool_backward(backend, gradient, out);
}

}  // namespace recal::nn
