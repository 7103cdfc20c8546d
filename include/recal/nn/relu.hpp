// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include <recal/backend/backend.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>
#include <recal/fused/channel_walk.hpp>

namespace recal::nn {

namespace detail {

/// NaN stays NaN: max() gives its second argument where the two do not compare.
struct Rectify {
  template <class P>
  [[nodiscard]] P operator()(P x) const {
    return max(P(0), x);
  }
};

struct AddRectify {
  template <class P>
  [[nodiscard]] P operator()(P a, P b) const {
    return max(P(0), a + b);
  }
};

struct Add {
  template <class P>
  [[nodiscard]] P operator()(P a, P b) const {
    return a + b;
  }
};

/// out = f(in...), elementwise: in equal pieces where all tensors are contiguous, else plane by plane.
template <class B, class F, class T, class... In>
void map_tensors(const B& backend, const F& f, TensorView<T> out, In... in) {
  const Shape& s = out.shape;
  if (out.contiguous() && (in.contiguous() && ...)) {
    constexpr Index piece = 16384;
    backend.walk((s.size() + piece - 1) / piece, piece, [&](const typename B::Team& team, Index g) {
      const Index first = g * piece;
      team.map(std::min(piece, s.size() - first), out.data + first, f, static_cast<const T*>(in.data + first)...);
    });
  } else {
    backend.walk(s.n * s.c, s.plane(), [&](const typename B::Team& team, Index g) {
      const Index n = g / s.c;
      const Index c = g % s.c;
      team.map(s.plane(), out.plane(n, c), f, static_cast<const T*>(in.plane(n, c))...);
    });
  }
}

}  // namespace detail

/// y = max(0, x), elementwise; y may alias x. One read and one write. NaN stays NaN.
/// errors: y's shape differs from x's
template <Backend B, class X, class Y>
void relu(const B& backend, const X& x, Y&& y) {
  const auto out = view_of(y);
  const TensorView<const scalar_t<std::remove_reference_t<Y>>> in = view_of(x);
  check_shape("output of ReLU", out.shape, in.shape);
  detail::map_tensors(backend, detail::Rectify{}, out, in);
}

/// y = max(0, a + b): the end of a residual block. y may alias a or b. Two reads and one write.
/// errors: shapes that differ
template <Backend B, class X, class S, class Y>
void add_relu(const B& backend, const X& a, const S& b, Y&& y) {
  const auto out = view_of(y);
  using In = TensorView<const scalar_t<std::remove_reference_t<Y>>>;
  const In first = view_of(a);
  const In second = view_of(b);
  check_shape("output of add and ReLU", out.shape, first.shape);
  check_shape("second addend", second.shape, first.shape);
  detail::map_tensors(backend, detail::AddRectify{}, out, first, second);
}

/// dx = dy where y > 0, else 0 (assigned, may alias dy); y is the output of relu() or add_relu(), and dx the gradient
/// of the input, or of either addend. Two reads and one write.
/// errors: shapes that differ
template <Backend B, class Y, class DY, class DX>
void relu_backward(const B& backend, const Y& y, const DY& dy, DX&& dx) {
  const auto out = view_of(dx);
  using In = TensorView<const scalar_t<std::remove_reference_t<DX>>>;
  const In output = view_of(y);
  const In gradient = view_of(dy);
  check_shape("output gradient of ReLU", gradient.shape, output.shape);
  check_shape("input gradient of ReLU", out.shape, output.shape);
  detail::map_tensors(backend, fused::OpenWherePositive{}, out, output, gradient);
}

/// y += x, elementwise: where two gradients meet.
/// errors: shapes that differ
template <Backend B, class X, class Y>
void accumulate(const B& backend, const X& x, Y&& y) {
  const auto out = view_of(y);
  using In = TensorView<const scalar_t<std::remove_reference_t<Y>>>;
  const In in = view_of(x);
  check_shape("sum", out.shape, in.shape);
  detail::map_tensors(backend, detail::Add{}, out, In(out), in);
}

}  // namespace recal::nn
