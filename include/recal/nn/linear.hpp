// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <recal/backend/backend.hpp>
#include <recal/backend/cpu/gemm.hpp>
#include <recal/backend/matrix.hpp>
#include <recal/backend/reference/gemm.hpp>
#include <recal/core/error.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/parameter.hpp>
#include <recal/core/tensor.hpp>
#include <recal/nn/init.hpp>

namespace recal::nn {

/// A dense layer on the channels of one-pixel maps.
///
///   y(n, o) = sum_i weight(o, i) x(n, i) + bias(o)
///
/// x [N, I, 1, 1], weight [O, I], bias [O], y [N, O, 1, 1]. Parameters begin as U(-1/sqrt(I), 1/sqrt(I)),
/// PyTorch's default, from seed 0; see initialise().
template <std::floating_point T>
class Linear {
 public:
  BasicParameter<T> weight;
  BasicParameter<T> bias;

  Linear(Index in, Index out) : in_(in), out_(out) {
    check(in >= 1 && out >= 1, "a dense layer from ", in, " to ", out, " features; expected at least 1 of each");
    weight = BasicParameter<T>("weight", {out, in});
    bias = BasicParameter<T>("bias", {out});
    initialise(0, "");
  }

  [[nodiscard]] Index in_features() const noexcept { return in_; }
  [[nodiscard]] Index out_features() const noexcept { return out_; }

  [[nodiscard]] Shape output_shape(const Shape& x) const {
    check(x.c == in_ && x.h == 1 && x.w == 1, "a dense layer takes ", in_,
          " features as channels of one-pixel maps, its input is ", x);
    return {x.n, out_, 1, 1};
  }

  /// y = x weight^T + bias. requires: y does not overlap x
  template <class B, class X, class Y>
  void forward(const B& backend, const X& x, Y&& y) const {
    const TensorView<const T> in = view_of(x);
    const TensorView<T> out = view_of(y);
    check_shape("a dense layer's output", out.shape, output_shape(in.shape));
    gemm(backend, rows_of(in), weights().transposed(), rows_of(out), false);
    for (Index n = 0; n < out.shape.n; ++n)
      for (Index o = 0; o < out_; ++o) *out.plane(n, o) += at(bias.value, o);
  }

  /// dx = dy weight, assigned; weight.grad += dy^T x; bias.grad(o) += sum_n dy(n, o).
  /// requires: dx overlaps neither x nor dy
  template <class B, class X, class D, class DX>
  void backward(const B& backend, const X& x, const D& dy, DX&& dx) {
    const TensorView<T> out = view_of(dx);
    check_shape("a dense layer's input gradient", out.shape, view_of(x).shape);
    backward_parameters(backend, x, dy);
    const TensorView<const T> gradient = view_of(dy);
    gemm(backend, rows_of(gradient), weights(), rows_of(out), false);
  }

  /// The parameters' gradients alone.
  template <class B, class X, class D>
  void backward_parameters(const B& backend, const X& x, const D& dy) {
    const TensorView<const T> in = view_of(x);
    const TensorView<const T> gradient = view_of(dy);
    check_shape("a dense layer's output gradient", gradient.shape, output_shape(in.shape));
    hold_gradients(*this);
    gemm(backend, rows_of(gradient).transposed(), rows_of(in), row_major(weight.grad.data(), out_, in_), true);
    for (Index o = 0; o < out_; ++o) {
      double sum = 0;
      for (Index n = 0; n < gradient.shape.n; ++n) sum += static_cast<double>(*gradient.plane(n, o));
      at(bias.grad, o) = static_cast<T>(static_cast<double>(at(bias.grad, o)) + sum);
    }
  }

  /// First values as functions of (seed, prefix + parameter's name).
  void initialise(std::uint64_t seed, std::string_view prefix) {
    uniform_fan_in(weight, in_, seed, std::string(prefix) + weight.name);
    uniform_fan_in(bias, in_, seed, std::string(prefix) + bias.name);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.bias);
  }

 private:
  template <class U>
  [[nodiscard]] static MatrixView<U> rows_of(const TensorView<U>& x) {
    return {x.data, x.shape.n, x.shape.c, x.stride_n, x.stride_c};
  }

  [[nodiscard]] MatrixView<const T> weights() const { return row_major(weight.value.data(), out_, in_); }

  Index in_;
  Index out_;
};

}  // namespace recal::nn
