// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <recal/backend/cuda/device_buffer.hpp>
#include <recal/backend/cuda/pool2d_kernels.hpp>
#include <recal/backend/window.hpp>
#include <recal/nn/pooled_shape.hpp>

/// recal/nn/pool2d.hpp on a device: the same calls with a machine in front. Views are in device memory; elements are
/// float, half, bfloat16 or double, sums float (double for double).
namespace recal::cuda {

/// What backward of a max pooling needs.
struct MaxPool2d {
  struct Tape {
    DeviceBuffer<std::int32_t> arg_max;  ///< for each output, h*W + w of its maximum in the input plane
    Shape input;
    Shape output;
  };
};

namespace detail {

/// A team per plane, which has the plane alone.
[[nodiscard]] inline Split whole_planes(Index elements) {
  return {elements <= warp_elements ? warp_lanes : plane_threads, 1, elements};
}

/// Launches a kernel that is made from the planes of `shape` and how they are shared out.
template <class M, class Kernel>
void launch_on_planes(const M& machine, const Shape& shape, const Split& split, int shared_bytes,
                      const Kernel& kernel) {
  const Groups groups{shape, Mixing::channels};
  if (shape.size() > 0) machine.launch({split.blocks(groups.planes()), plane_threads, shared_bytes}, kernel);
}

template <class M>
[[nodiscard]] Split split_of(const M& machine, const Shape& shape) {
  return split_planes(shape.n * shape.c, shape.plane(), machine.multiprocessors());
}

template <class M, class T>
void max_pool2d(const M& machine, const TensorView<const T>& x, const TensorView<T>& y, const Window& window,
                std::int32_t* arg_max) {
  if (y.shape.size() == 0) return;
  const Split split = split_of(machine, y.shape);
  launch_on_planes(machine, y.shape, split, 0,
                   MaxPoolKernel<T>{{y.shape, Mixing::channels}, split, window, x, y, arg_max});
}

}  // namespace detail

/// y(n, c, oy, ox) = max x over the window at (oy, ox), where pixels of the padding do not count. NaN wins.
/// The first of equal maxima, row by row, is kept for backward.
/// errors: y's shape, a window that does not fit, padding of more than half the kernel, planes of 2^31 pixels
template <Machine M, class X, class Y>
void max_pool2d(const M& machine, const X& x, Y&& y, const Window& window, MaxPool2d::Tape& tape) {
  const TensorView<const scalar_t<X>> in = view_of(x);
  const TensorView<scalar_t<X>> out = view_of(y);
  check_shape("a pooling's output", out.shape, nn::detail::pooled_shape(window, in.shape));
  check(in.shape.plane() <= INT32_MAX, "a pooling's planes have more than 2^31 pixels: ", in.shape);
  tape.arg_max.resize(machine, out.shape.size());
  tape.input = in.shape;
  tape.output = out.shape;
  detail::max_pool2d(machine, in, out, window, tape.arg_max.data());
}

/// The same for inference: nothing is kept.
template <Machine M, class X, class Y>
void max_pool2d(const M& machine, const X& x, Y&& y, const Window& window) {
  const TensorView<const scalar_t<X>> in = view_of(x);
  const TensorView<scalar_t<X>> out = view_of(y);
  check_shape("a pooling's output", out.shape, nn::detail::pooled_shape(window, in.shape));
  detail::max_pool2d(machine, in, out, window, nullptr);
}

/// dx = dy at the maxima, summed where windows share one, else 0; assigned. Each pixel asks the windows that see it.
/// requires: dx does not overlap dy
template <Machine M, class D, class DX>
void max_pool2d_backward(const M& machine, const D& dy, DX&& dx, const Window& window, const MaxPool2d::Tape& tape) {
  using T = scalar_t<D>;
  const TensorView<const T> gradient = view_of(dy);
  const TensorView<T> out = view_of(dx);
  check_shape("a pooling's input gradient", out.shape, tape.input);
  check_shape("a pooling's output gradient", gradient.shape, tape.output);
  check_shape("a pooling's tape", tape.output, nn::detail::pooled_shape(window, tape.input));
  if (out.shape.size() == 0) return;
  const Split split = detail::split_of(machine, out.shape);
  detail::launch_on_planes(
      machine, out.shape, split, 0,
      MaxPoolBackwardKernel<T>{{out.shape, Mixing::channels}, split, window, gradient, out, tape.arg_max.data()});
}

/// y(n, c, oy, ox) = sum of x over the window at (oy, ox) / its pixels. By default only pixels inside the image are
/// counted; with count_padding the divisor is kernel^2 everywhere (PyTorch's count_include_pad, its default).
template <Machine M, class X, class Y>
void avg_pool2d(const M& machine, const X& x, Y&& y, const Window& window, bool count_padding = false) {
  using T = scalar_t<X>;
  const TensorView<const T> in = view_of(x);
  const TensorView<T> out = view_of(y);
  check_shape("a pooling's output", out.shape, nn::detail::pooled_shape(window, in.shape));
  if (out.shape.size() == 0) return;
  const Split split = detail::split_of(machine, out.shape);
  detail::launch_on_planes(machine, out.shape, split, 0,
                           AvgPoolKernel<T>{{out.shape, Mixing::channels}, split, window, count_padding, in, out});
}

/// dx = each window's dy / its pixels, summed over the windows that see the pixel; assigned.
/// requires: dx does not overlap dy
template <Machine M, class D, class DX>
void avg_pool2d_backward(const M& machine, const D& dy, DX&& dx, const Window& window, bool count_padding = false) {
  using T = scalar_t<D>;
  const TensorView<const T> gradient = view_of(dy);
  const TensorView<T> out = view_of(dx);
  check_shape("a pooling's output gradient", gradient.shape, nn::detail::pooled_shape(window, out.shape));
  if (out.shape.size() == 0) return;
  const Split split = detail::split_of(machine, out.shape);
  detail::launch_on_planes(
      machine, out.shape, split, 0,
      AvgPoolBackwardKernel<T>{{out.shape, Mixing::channels}, split, window, count_padding, gradient, out});
}

/// y(n, c) = mean of the plane x(n, c); y [N, C, 1, 1]
template <Machine M, class X, class Y>
void global_avg_pool(const M& machine, const X& x, Y&& y) {
  using T = scalar_t<X>;
  const TensorView<const T> in = view_of(x);
  const TensorView<T> out = view_of(y);
  check(in.shape.plane() >= 1 || in.shape.n * in.shape.c == 0, "the mean of empty planes: ", in.shape);
  check_shape("a global pooling's output", out.shape, {in.shape.n, in.shape.c, 1, 1});
  const Split split = detail::whole_planes(in.shape.plane());
  detail::launch_on_planes(machine, in.shape, split, PlaneTeam<int>::template shared_bytes<Mean>,
                           GlobalMeanKernel<T>{{in.shape, Mixing::channels}, split, in, out});
}

/// dx(n, c, h, w) = dy(n, c) / (H W); assigned.
template <Machine M, class D, class DX>
void global_avg_pool_backward(const M& machine, const D& dy, DX&& dx) {
  using T = scalar_t<D>;
  const TensorView<const T> gradient = view_of(dy);
  const TensorView<T> out = view_of(dx);
  check_shape("a global pooling's output gradient", gradient.shape, {out.shape.n, out.shape.c, 1, 1});
  const Split split = detail::whole_planes(out.shape.plane());
  detail::launch_on_planes(machine, out.shape, split, 0,
                           GlobalMeanBackwardKernel<T>{{out.shape, Mixing::channels}, split, gradient, out});
}

}  // namespace recal::cuda
