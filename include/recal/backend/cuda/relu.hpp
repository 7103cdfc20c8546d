// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <recal/backend/cuda/map.hpp>
#include <recal/fused/channel_walk.hpp>

/// recal/nn/relu.hpp on a device: the same calls with a machine in front, the same results. Views are in device memory;
/// elements are float, half, bfloat16 or double.
namespace recal::cuda {

namespace detail {

/// NaN stays NaN.
struct Rectify {
  template <class A>
  [[nodiscard]] RECAL_HOST_DEVICE A operator()(A x) const {
    return A(0) > x ? A(0) : x;
  }
};

struct AddRectify {
  template <class A>
  [[nodiscard]] RECAL_HOST_DEVICE A operator()(A a, A b) const {
    return Rectify{}(a + b);
  }
};

struct Add {
  template <class A>
  [[nodiscard]] RECAL_HOST_DEVICE A operator()(A a, A b) const {
    return a + b;
  }
};

}  // namespace detail

/// y = max(0, x), elementwise; y may alias x. One read and one write. NaN stays NaN.
/// errors: y's shape differs from x's
template <Machine M, class X, class Y>
void relu(const M& machine, const X& x, Y&& y) {
  const auto out = view_of(y);
  const TensorView<const scalar_t<std::remove_reference_t<Y>>> in = view_of(x);
  check_shape("output of ReLU", out.shape, in.shape);
  map_tensors(machine, detail::Rectify{}, out, in);
}

/// y = max(0, a + b): the end of a residual block. y may alias a or b. Two reads and one write.
/// errors: shapes that differ
template <Machine M, class X, class S, class Y>
void add_relu(const M& machine, const X& a, const S& b, Y&& y) {
  const auto out = view_of(y);
  using In = TensorView<const scalar_t<std::remove_reference_t<Y>>>;
  const In first = view_of(a);
  const In second = view_of(b);
  check_shape("output of add and ReLU", out.shape, first.shape);
  check_shape("second addend", second.shape, first.shape);
  map_tensors(machine, detail::AddRectify{}, out, first, second);
}

/// dx = dy where y > 0, else 0 (assigned, may alias dy); y is the output of relu() or add_relu(). Two reads and one
/// write.
/// errors: shapes that differ
template <Machine M, class Y, class DY, class DX>
void relu_backward(const M& machine, const Y& y, const DY& dy, DX&& dx) {
  const auto out = view_of(dx);
  using In = TensorView<const scalar_t<std::remove_reference_t<DX>>>;
  const In output = view_of(y);
  const In gradient = view_of(dy);
  check_shape("output gradient of ReLU", gradient.shape, output.shape);
  check_shape("input gradient of ReLU", out.shape, output.shape);
  map_tensors(machine, fused::OpenWherePositive{}, out, output, gradient);
}

/// y += x, elementwise: where two gradients meet.
/// errors: shapes that differ
template <Machine M, class X, class Y>
void accumulate(const M& machine, const X& x, Y&& y) {
  const auto out = view_of(y);
  using In = TensorView<const scalar_t<std::remove_reference_t<Y>>>;
  const In in = view_of(x);
  check_shape("sum", out.shape, in.shape);
  map_tensors(machine, detail::Add{}, out, In(out), in);
}

}  // namespace recal::cuda
