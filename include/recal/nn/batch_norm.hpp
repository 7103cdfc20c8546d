// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/backend/backend.hpp>
#include <recal/core/dots.hpp>
#include <recal/core/error.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/visit.hpp>
#include <recal/nn/relu.hpp>
#include <recal/pool/mean_std.hpp>

namespace recal::nn {

/// What follows a layer in the same pass.
enum class Activation { none, relu };

namespace detail {

/// Mean and sum of squared deviations of the planes seen so far, merged in double (Chan et al. 1979).
struct RunningMoments {
  double count = 0.0;
  double mean = 0.0;
  double squares = 0.0;

  void add(const MeanStd::State<double>& plane, Index elements) {
    const auto k = static_cast<double>(elements);
    const double distance = plane.shift + plane.sum / k - mean;
    const double own = plane.squares - plane.sum * plane.sum / k;
    const double total = count + k;
    squares += (own > 0.0 ? own : 0.0) + distance * distance * (count * k / total);
    mean += distance * (k / total);
    count = total;
  }
};

/// scale * (x - centre) + shift; the centre is one of T's numbers, so that a large mean cancels exactly.
template <class A>
struct ChannelAffine {
  A scale;
  A centre;
  A shift;
  template <class P>
  [[nodiscard]] P operator()(P x) const {
    return P(scale) * (x - P(centre)) + P(shift);
  }
};

template <class A>
struct ChannelAffineRelu : ChannelAffine<A> {
  template <class P>
  [[nodiscard]] P operator()(P x) const {
    return max(P(0), ChannelAffine<A>::operator()(x));
  }
};

template <class A>
struct ChannelAffineAddRelu : ChannelAffine<A> {
  template <class P>
  [[nodiscard]] P operator()(P x, P shortcut) const {
    return max(P(0), ChannelAffine<A>::operator()(x) + shortcut);
  }
};

/// scale * dr + offset + slope * (x - centre)
template <class A>
struct ChannelPull {
  A scale;
  A centre;
  A offset;
  A slope;
  template <class P>
  [[nodiscard]] P operator()(P dr, P x) const {
    return P(scale) * dr + (P(offset) + P(slope) * (x - P(centre)));
  }
};

}  // namespace detail

/// Batch normalisation of NCHW tensors, per channel over samples and positions:
///   y = weight * (x - mean) / sqrt(var + eps) + bias
/// forward() takes mean and (biased) variance of the batch and moves the running ones towards them (the variance
/// unbiased); infer() and forward_frozen() take the running ones. The *_relu and *_add_relu forms do what commonly
/// follows in the same pass: y = max(0, bn(x)), y = max(0, bn(x) + shortcut).
///
/// y may alias x in infer(), and the shortcut anywhere. T is the scalar of tensors and parameters; statistics and
/// coefficients are double. Cost: forward reads x once from memory (and once more from cache) and writes y;
/// backward reads x and dy (and y, for the mask) and writes dx. Names follow torchvision.
/// errors: shapes or channels that do not match; training on a single value a channel
/// Source: Ioffe and Szegedy 2015; defaults as in PyTorch.
template <class T>
class BatchNorm2d {
 public:
  BasicParameter<T> weight;
  BasicParameter<T> bias;
  BasicState<T> running_mean;
  BasicState<T> running_var;
  BasicState<Index> num_batches_tracked;
  double eps = 1e-5;
  double momentum = 0.1;

  /// What backward needs besides x: per channel mean and 1 / sqrt(var + eps), and whether they are the batch's.
  struct Tape {
    Buffer<double> mean;
    Buffer<double> inverse_deviation;
    bool of_batch = false;
  };

  explicit BatchNorm2d(Index channels)
      : weight("weight", {channels}, T{1}),
        bias("bias", {channels}),
        running_mean("running_mean", channels),
        running_var("running_var", channels, T{1}),
        num_batches_tracked("num_batches_tracked", 1) {
    num_batches_tracked.shape.clear();
  }

  [[nodiscard]] Index channels() const noexcept { return weight.size(); }

  template <Backend B, class X, class Y>
  void infer(const B& backend, const X& x, Y&& y, Activation activation = Activation::none) const {
    run_running(backend, view_of(x), view_of(y), {}, activation, nullptr);
  }

  /// y = max(0, bn(x) + shortcut)
  template <Backend B, class X, class S, class Y>
  void infer_add_relu(const B& backend, const X& x, const S& shortcut, Y&& y) const {
    run_running(backend, view_of(x), view_of(y), view_of(shortcut), Activation::relu, nullptr);
  }

  template <Backend B, class X, class Y>
  void forward(const B& backend, const X& x, Y&& y, Tape& tape, Activation activation = Activation::none) {
    run_batch(backend, view_of(x), view_of(y), {}, activation, tape);
  }

  template <Backend B, class X, class S, class Y>
  void forward_add_relu(const B& backend, const X& x, const S& shortcut, Y&& y, Tape& tape) {
    run_batch(backend, view_of(x), view_of(y), view_of(shortcut), Activation::relu, tape);
  }

  /// infer() that backward() can follow; changes no state.
  template <Backend B, class X, class Y>
  void forward_frozen(const B& backend, const X& x, Y&& y, Tape& tape,
                      Activation activation = Activation::none) const {
    run_running(backend, view_of(x), view_of(y), {}, activation, &tape);
  }

  template <Backend B, class X, class S, class Y>
  void forward_frozen_add_relu(const B& backend, const X& x, const S& shortcut, Y&& y, Tape& tape) const {
    run_running(backend, view_of(x), view_of(y), view_of(shortcut), Activation::relu, &tape);
  }

  /// dx assigned (may alias dy); gradients of weight and bias added.
  template <Backend B, class X, class DY, class DX>
  void backward(const B& backend, const X& x, const DY& dy, DX&& dx, const Tape& tape) {
    pull(backend, view_of(x), view_of(dy), view_of(dx), {}, {}, tape);
  }

  /// The same after Activation::relu, of which y is the output: dy counts where y > 0.
  template <Backend B, class X, class Y, class DY, class DX>
  void backward_relu(const B& backend, const X& x, const Y& y, const DY& dy, DX&& dx, const Tape& tape) {
    pull(backend, view_of(x), view_of(dy), view_of(dx), view_of(y), {}, tape);
  }

  /// The same after *_add_relu; dshortcut = dy where y > 0, else 0 (assigned, may alias dy; dx may not alias it).
  template <Backend B, class X, class Y, class DY, class DS, class DX>
  void backward_add_relu(const B& backend, const X& x, const Y& y, const DY& dy, DS&& dshortcut, DX&& dx,
                         const Tape& tape) {
    pull(backend, view_of(x), view_of(dy), view_of(dx), view_of(y), view_of(dshortcut), tape);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.bias);
    v(self.running_mean);
    v(self.running_var);
    v(self.num_batches_tracked);
  }

 private:
  using In = TensorView<const T>;
  using Out = TensorView<T>;

  void check_input(const Shape& x) const {
    check(x.c == channels(), "batch norm of ", channels(), " channels was given ", x);
  }

  void check_forward(const In& x, const Out& y, const In& shortcut) const {
    check_input(x.shape);
    check_shape("output of batch norm", y.shape, x.shape);
    if (shortcut.data != nullptr) check_shape("shortcut", shortcut.shape, x.shape);
  }

  /// Centre and shift such that scale * (x - centre) + shift normalises by `mean`.
  template <class A>
  [[nodiscard]] detail::ChannelAffine<A> affine(Index c, double mean, double inverse) const {
    const double scale = static_cast<double>(at(weight.value, c)) * inverse;
    const T centre = static_cast<T>(mean);
    const double shift = static_cast<double>(at(bias.value, c)) + scale * (static_cast<double>(centre) - mean);
    return {static_cast<A>(scale), static_cast<A>(centre), static_cast<A>(shift)};
  }

  template <class Team, class A>
  static void apply(const Team& team, Index c, const In& x, const Out& y, const In& shortcut, Activation activation,
                    const detail::ChannelAffine<A>& map) {
    const Index count = x.shape.plane();
    for (Index n = 0; n < x.shape.n; ++n) {
      if (shortcut.data != nullptr)
        team.map(count, y.plane(n, c), detail::ChannelAffineAddRelu<A>{map}, x.plane(n, c), shortcut.plane(n, c));
      else if (activation == Activation::relu)
        team.map(count, y.plane(n, c), detail::ChannelAffineRelu<A>{map}, x.plane(n, c));
      else
        team.map(count, y.plane(n, c), map, x.plane(n, c));
    }
  }

  template <class B>
  void run_running(const B& backend, In x, Out y, In shortcut, Activation activation, Tape* tape) const {
    using A = typename B::Team::template accumulator<T>;
    check_forward(x, y, shortcut);
    if (tape != nullptr) prepare(*tape, false);
    backend.walk(channels(), x.shape.n * x.shape.plane(), [&](const typename B::Team& team, Index c) {
      const auto mean = static_cast<double>(at(running_mean.value, c));
      const double inverse = 1.0 / std::sqrt(static_cast<double>(at(running_var.value, c)) + eps);
      if (tape != nullptr) record(*tape, c, mean, inverse);
      apply(team, c, x, y, shortcut, activation, affine<A>(c, mean, inverse));
    });
  }

  template <class B>
  void run_batch(const B& backend, In x, Out y, In shortcut, Activation activation, Tape& tape) {
    using A = typename B::Team::template accumulator<T>;
    check_forward(x, y, shortcut);
    const Index count = x.shape.n * x.shape.plane();
    check(count != 1, "training batch norm needs more than one value per channel, found one in ", x.shape);
    prepare(tape, true);
    if (count == 0) return;
    backend.walk(channels(), count, [&](const typename B::Team& team, Index c) {
      detail::RunningMoments moments;
      for (Index n = 0; n < x.shape.n; ++n)
        moments.add(team.reduce(MeanStd{}, x.shape.plane(), x.plane(n, c)), x.shape.plane());
      const double inverse = 1.0 / std::sqrt(moments.squares / moments.count + eps);
      move_running(c, moments);
      record(tape, c, moments.mean, inverse);
      apply(team, c, x, y, shortcut, activation, affine<A>(c, moments.mean, inverse));
    });
    ++num_batches_tracked.value[0];
  }

  void move_running(Index c, const detail::RunningMoments& moments) {
    const auto towards = [this](T& running, double value) {
      running = static_cast<T>((1.0 - momentum) * static_cast<double>(running) + momentum * value);
    };
    towards(at(running_mean.value, c), moments.mean);
    towards(at(running_var.value, c), moments.squares / (moments.count - 1.0));
  }

  void prepare(Tape& tape, bool of_batch) const {
    tape.of_batch = of_batch;
    resize(tape.mean, channels());
    resize(tape.inverse_deviation, channels());
  }

  static void record(Tape& tape, Index c, double mean, double inverse) {
    at(tape.mean, c) = mean;
    at(tape.inverse_deviation, c) = inverse;
  }

  void check_backward(const In& x, const In& dy, const Out& dx, const In& y, const Out& dshortcut,
                      const Tape& tape) const {
    check_input(x.shape);
    check_shape("output gradient of batch norm", dy.shape, x.shape);
    check_shape("input gradient of batch norm", dx.shape, x.shape);
    if (y.data != nullptr) check_shape("output of batch norm", y.shape, x.shape);
    if (dshortcut.data != nullptr) check_shape("gradient of the shortcut", dshortcut.shape, x.shape);
    const auto taped = static_cast<Index>(tape.mean.size());
    check(taped == channels(), "batch norm's tape holds ", taped, " channels, the layer has ", channels(),
          "; forward comes before backward");
  }

  /// With dr the masked dy and m the values of a channel, by Ioffe and Szegedy:
  ///   dx = weight * inverse * (dr - S0 / m - (x - mean) inverse^2 S1 / m),  S0 = sum dr, S1 = sum dr (x - mean)
  /// where the last two terms are absent when mean and variance are constants.
  template <class B>
  void pull(const B& backend, In x, In dy, Out dx, In y, Out dshortcut, const Tape& tape) {
    using A = typename B::Team::template accumulator<T>;
    check_backward(x, dy, dx, y, dshortcut, tape);
    const Index count = x.shape.plane();
    const Out masked = dshortcut.data != nullptr ? dshortcut : dx;
    const In dr = y.data != nullptr ? In(masked) : dy;
    if (x.shape.n * count == 0) return;
    backend.walk(channels(), x.shape.n * count, [&](const typename B::Team& team, Index c) {
      const auto centre = static_cast<double>(static_cast<T>(at(tape.mean, c)));
      double sum = 0.0;
      double product = 0.0;
      for (Index n = 0; n < x.shape.n; ++n) {
        if (y.data != nullptr)
          team.map(count, masked.plane(n, c), detail::OpenWherePositive{}, y.plane(n, c), dy.plane(n, c));
        const Dots::State<double> dots = team.reduce(Dots{}, count, x.plane(n, c), dr.plane(n, c));
        sum += dots.s0();
        product += dots.s1_about(centre);
      }
      const auto map = pull_of<A>(c, centre, sum, product, static_cast<double>(x.shape.n * count), tape);
      for (Index n = 0; n < x.shape.n; ++n) team.map(count, dx.plane(n, c), map, dr.plane(n, c), x.plane(n, c));
    });
  }

  template <class A>
  detail::ChannelPull<A> pull_of(Index c, double centre, double sum, double product, double count, const Tape& tape) {
    const double off_centre = centre - at(tape.mean, c);
    const double inverse = at(tape.inverse_deviation, c);
    const double about_mean = product + off_centre * sum;
    const double scale = static_cast<double>(at(weight.value, c)) * inverse;
    at(weight.grad, c) += static_cast<T>(about_mean * inverse);
    at(bias.grad, c) += static_cast<T>(sum);
    const double slope = tape.of_batch ? -scale * inverse * inverse * about_mean / count : 0.0;
    const double offset = tape.of_batch ? -scale * sum / count + slope * off_centre : 0.0;
    return {static_cast<A>(scale), static_cast<A>(centre), static_cast<A>(offset), static_cast<A>(slope)};
  }
};

}  // namespace recal::nn
