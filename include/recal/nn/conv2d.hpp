// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <recal/backend/backend.hpp>
#include <recal/backend/cpu/conv2d.hpp>
#include <recal/backend/cpu/conv2d_gradient.hpp>
#include <recal/backend/cpu/fixed_weights.hpp>
#include <recal/backend/reference/conv2d.hpp>
#include <recal/backend/window.hpp>
#include <recal/core/error.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/parameter.hpp>
#include <recal/core/tensor.hpp>
#include <recal/nn/init.hpp>

namespace recal::nn {

namespace detail {

/// to(n, c, y s, x s) += from(n, c, y, x) with s = stride
template <Backend B, class T>
void add_spread(const B& backend, const TensorView<const T>& from, Index stride, const TensorView<T>& to) {
  const Shape s = from.shape;
  backend.walk(s.n * s.c, s.plane(), [&](const typename B::Team&, Index plane) {
    const T* row = from.plane(plane / s.c, plane % s.c);
    T* out = to.plane(plane / s.c, plane % s.c);
    for (Index y = 0; y < s.h; ++y, row += s.w, out += stride * to.shape.w)
      for (Index x = 0; x < s.w; ++x) out[x * stride] += row[x];
  });
}

}  // namespace detail

struct Conv2dOptions {
  Index kernel = 1;
  Index stride = 1;
  Index padding = 0;
  Index groups = 1;
  bool bias = false;
};

/// A convolution with a square kernel.
///
///   y(n, o, oy, ox) = bias(o) + sum_{i, ky, kx} weight(o, i, ky, kx) x(n, i, oy s + ky - p, ox s + kx - p)
///
/// x [N, I, H, W], weight [O, I/G, k, k], bias [O], y [N, O, (H + 2p - k)/s + 1, (W + 2p - k)/s + 1], zeros around x;
/// output o sees the I/G inputs of its group. G = I = O is a depthwise convolution.
/// Parameters begin as N(0, sqrt(2/(O k k))), the bias as U(-1/sqrt(I/G k k), ...), from seed 0; see initialise().
template <std::floating_point T>
class Conv2d {
 public:
  BasicParameter<T> weight;
  BasicParameter<T> bias;  ///< empty without one

  Conv2d(Index in, Index out, Conv2dOptions options = {}) : Conv2d(in, out, options, Uninitialised{}) {
    initialise(0, "");
  }

  /// Parameters are 0 until initialise().
  Conv2d(Index in, Index out, Conv2dOptions options, Uninitialised /*parameters*/)
      : options_(options), in_(in), out_(out), window_{options.kernel, options.stride, options.padding} {
    check_window("a convolution", window_);
    check(in >= 1 && out >= 1, "a convolution from ", in, " to ", out, " channels; expected at least 1 of each");
    check(options.groups >= 1 && in % options.groups == 0 && out % options.groups == 0, "a convolution from ", in,
          " to ", out, " channels cannot have ", options.groups, " groups: they must divide both");
    weight = BasicParameter<T>("weight", {out, in / options.groups, options.kernel, options.kernel});
    if (options.bias) bias = BasicParameter<T>("bias", {out});
  }

  [[nodiscard]] Index in_channels() const noexcept { return in_; }
  [[nodiscard]] Index out_channels() const noexcept { return out_; }
  [[nodiscard]] const Conv2dOptions& options() const noexcept { return options_; }

  /// The finish that adds the bias, where there is one, and nothing else.
  [[nodiscard]] ConvFinish<T> add_bias() const { return {.shift = bias_data(bias.value)}; }

  /// The shape of y. Throws where x has other channels or is smaller than the kernel.
  [[nodiscard]] Shape output_shape(const Shape& x) const {
    check(x.c == in_, "a convolution takes ", in_, " channels, its input has ", x.c, ": ", x);
    return slide("a convolution", window_, x, out_);
  }

  /// y = weight * x + bias. requires: y does not overlap x
  template <class B, class X, class Y>
  void forward(const B& backend, const X& x, Y&& y) const {
    forward(backend, x, y, add_bias());
  }

  /// y = finish(weight * start(x)); the finish says itself what it does with the bias. Where weights are `fixed`, the
  /// processor packs them once; other backends take them as they are.
  /// requires: y does not overlap x; the finish's shortcut, where there is one, has y's shape
  template <class B, class X, class Y>
  void forward(const B& backend, const X& x, Y&& y, const ConvFinish<T>& finish, const ConvStart<T>& start = {},
               cpu::FixedWeights<T>* fixed = nullptr) const {
    const TensorView<const T> in = view_of(x);
    const TensorView<T> out = view_of(y);
    check_shape("a convolution's output", out.shape, output_shape(in.shape));
    if (finish.shortcut.data != nullptr) check_shape("shortcut", finish.shortcut.shape, out.shape);
    if constexpr (std::same_as<B, Cpu>)
      conv2d(backend, in, weight.value.data(), out, window_, options_.groups, finish, start, fixed);
    else
      conv2d(backend, in, weight.value.data(), out, window_, options_.groups, finish, start);
  }

  /// dx assigned, parameter gradients added; where forward had a start, dx is the gradient of start(x). A gradient of x
  /// that comes another way is the finish's shortcut, and part of dx.
  /// requires: dx overlaps neither x nor dy
  template <class B, class X, class D, class DX>
  void backward(const B& backend, const X& x, const D& dy, DX&& dx, const ConvStart<T>& start = {},
                const ConvFinish<T>& finish = {}) {
    const TensorView<const T> in = view_of(x);
    check_shape("a convolution's input gradient", view_of(dx).shape, in.shape);
    backward_parameters(backend, in, dy, start);
    backward_data(backend, dy, dx, finish);
  }

  /// dx(n, i) = finish(sum over o and the kernel of weight(o, i) dy(n, o)), assigned.
  /// requires: dx does not overlap dy; the finish's shortcut, where there is one, has dx's shape
  template <class B, class D, class DX>
  void backward_data(const B& backend, const D& dy, DX&& dx, const ConvFinish<T>& finish = {}) const {
    const TensorView<const T> gradient = view_of(dy);
    const TensorView<T> out = view_of(dx);
    check_shape("a convolution's output gradient", gradient.shape, output_shape(out.shape));
    if (finish.shortcut.data != nullptr) check_shape("shortcut", finish.shortcut.shape, out.shape);
    conv2d_backward_data(backend, gradient, weight.value.data(), out, window_, options_.groups, finish);
  }

  /// backward() of a 1x1 convolution without padding, dx *added* to what is there: of a stride, only the pixels that it
  /// sees are read and written. `seen` is scratch, resized to what is added.
  /// requires: dx overlaps neither x nor dy. errors: another kernel or padding
  template <class B, class X, class D, class DX>
  void backward_adding(const B& backend, const X& x, const D& dy, DX&& dx, Tensor<T>& seen) {
    check(window_.kernel == 1 && window_.padding == 0,
          "only the gradient of a 1x1 convolution without padding can be added, not with kernel ", window_.kernel,
          " and padding ", window_.padding);
    const TensorView<T> out = view_of(dx);
    check_shape("a convolution's input gradient", out.shape, view_of(x).shape);
    backward_parameters(backend, x, dy);
    const TensorView<const T> gradient = view_of(dy);
    seen.resize({out.shape.n, in_, gradient.shape.h, gradient.shape.w});
    conv2d_backward_data(backend, gradient, weight.value.data(), seen.view(), Window{}, options_.groups);
    detail::add_spread(backend, std::as_const(seen).view(), window_.stride, out);
  }

  /// weight.grad and bias.grad += what dy says. For the first layer, whose input needs no gradient.
  template <class B, class X, class D>
  void backward_parameters(const B& backend, const X& x, const D& dy, const ConvStart<T>& start = {}) {
    const TensorView<const T> in = view_of(x);
    const TensorView<const T> gradient = view_of(dy);
    check_shape("a convolution's output gradient", gradient.shape, output_shape(in.shape));
    hold_gradients(*this);
    conv2d_backward_weight(backend, in, gradient, weight.grad.data(), bias_data(bias.grad), window_, options_.groups,
                           start);
  }

  /// First values as functions of (seed, prefix + parameter's name).
  void initialise(std::uint64_t seed, std::string_view prefix) {
    he_normal(weight, seed, std::string(prefix) + weight.name);
    if (options_.bias)
      uniform_fan_in(bias, in_ / options_.groups * window_.area(), seed, std::string(prefix) + bias.name);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    if (self.options_.bias) v(self.bias);
  }

 private:
  template <class Values>
  [[nodiscard]] auto bias_data(Values& values) const {
    return options_.bias ? values.data() : nullptr;
  }

  Conv2dOptions options_;
  Index in_;
  Index out_;
  Window window_;
};

}  // namespace recal::nn
