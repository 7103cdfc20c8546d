// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <recal/backend/backend.hpp>
#include <recal/backend/channel_block.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/core/dots.hpp>
#include <recal/core/error.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/visit.hpp>
#include <recal/fused/channel_walk.hpp>
#include <recal/pool/mean_std.hpp>
#include <recal/pool/moments_sink.hpp>

namespace recal::nn {

/// What follows a layer in the same pass.
enum class Activation { none, relu };

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

  /// What backward needs besides x: per channel mean and 1 / sqrt(var + eps), and whether they are the batch's; the map
  /// that follows from them, for whoever applies it.
  struct Tape {
    Buffer<double> mean;
    Buffer<double> inverse_deviation;
    Buffer<T> scale;
    Buffer<T> centre;
    Buffer<T> shift;
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
  void forward_frozen(const B& backend, const X& x, Y&& y, Tape& tape, Activation activation = Activation::none) const {
    run_running(backend, view_of(x), view_of(y), {}, activation, &tape);
  }

  template <Backend B, class X, class S, class Y>
  void forward_frozen_add_relu(const B& backend, const X& x, const S& shortcut, Y&& y, Tape& tape) const {
    run_running(backend, view_of(x), view_of(y), view_of(shortcut), Activation::relu, &tape);
  }

  /// forward() without y: for a convolution that reads x and applies relu_start(tape) to it.
  template <Backend B, class X>
  void forward_statistics(const B& backend, const X& x, Tape& tape) {
    check_input(view_of(x).shape);
    reduce_batch(backend, view_of(x), tape, [](const auto&...) {});
  }

  /// forward_frozen() without y; reads nothing of x's size.
  void forward_frozen_statistics(Tape& tape) const {
    begin_running(tape);
    for (Index c = 0; c < channels(); ++c) running_map(c, &tape);
  }

  /// max(0, bn(x)) of the pass that the tape is of, as the next convolution's start. Lives in the tape.
  [[nodiscard]] ConvStart<T> relu_start(const Tape& tape) const {
    check_tape(tape);
    return {tape.scale.data(), tape.centre.data(), tape.shift.data()};
  }

  /// dx assigned (may alias dy); gradients of weight and bias added.
  template <Backend B, class X, class DY, class DX>
  void backward(const B& backend, const X& x, const DY& dy, DX&& dx, const Tape& tape) {
    pull(backend, view_of(x), view_of(dy), view_of(dx), {}, {}, Mask::none, tape);
  }

  /// The same after Activation::relu, of which y is the output: dy counts where y > 0.
  template <Backend B, class X, class Y, class DY, class DX>
  void backward_relu(const B& backend, const X& x, const Y& y, const DY& dy, DX&& dx, const Tape& tape) {
    pull(backend, view_of(x), view_of(dy), view_of(dx), view_of(y), {}, Mask::output, tape);
  }

  /// The same without y: dy counts where relu_start(tape) of x is > 0.
  template <Backend B, class X, class DY, class DX>
  void backward_relu(const B& backend, const X& x, const DY& dy, DX&& dx, const Tape& tape) {
    pull(backend, view_of(x), view_of(dy), view_of(dx), {}, {}, Mask::input, tape);
  }

  /// The same after *_add_relu; dshortcut = dy where y > 0, else 0 (assigned, may alias dy; dx may alias y, but
  /// neither of these).
  template <Backend B, class X, class Y, class DY, class DS, class DX>
  void backward_add_relu(const B& backend, const X& x, const Y& y, const DY& dy, DS&& dshortcut, DX&& dx,
                         const Tape& tape) {
    pull(backend, view_of(x), view_of(dy), view_of(dx), view_of(y), view_of(dshortcut), Mask::output, tape);
  }

  /// The parts of a pass, for passes that do a batch norm and what follows at once (fused/residual_tail.hpp): the
  /// tape is begun once a pass, the rest is called once a channel, for different channels at once.

  /// errors: a single value a channel
  void begin_batch(const Shape& x, Tape& tape) {
    const Index count = x.n * x.plane();
    check(count != 1, "training batch norm needs more than one value per channel, found one in ", x);
    prepare(tape, true);
    if (count > 0) ++num_batches_tracked.value[0];
  }

  void begin_running(Tape& tape) const { prepare(tape, false); }

  /// What the batch does to a channel whose `count` values have these moments, in planes of `elements`. Moves the
  /// running statistics and fills the tape.
  fused::ChannelAffine<double> batch_map(Index c, const fused::ChannelMoments& moments, double elements, double count,
                                         Tape& tape) {
    const auto towards = [this](T& running, double value) {
      running = static_cast<T>((1.0 - momentum) * static_cast<double>(running) + momentum * value);
    };
    const double mean = moments.mean();
    const double squares = moments.squares(elements);
    const double inverse = 1.0 / std::sqrt(squares / count + eps);
    towards(at(running_mean.value, c), mean);
    towards(at(running_var.value, c), squares / (count - 1.0));
    return record(tape, c, mean, inverse);
  }

  /// What the running statistics do to a channel. Fills the tape where there is one.
  fused::ChannelAffine<double> running_map(Index c, Tape* tape) const {
    const auto mean = static_cast<double>(at(running_mean.value, c));
    const double inverse = 1.0 / std::sqrt(static_cast<double>(at(running_var.value, c)) + eps);
    return tape != nullptr ? record(*tape, c, mean, inverse) : affine(c, mean, inverse);
  }

  /// The map of the pass that the tape is of.
  [[nodiscard]] fused::ChannelAffine<double> taped_map(Index c, const Tape& tape) const {
    return affine(c, at(tape.mean, c), at(tape.inverse_deviation, c));
  }

  /// dx from dr and x, given a channel's sums over `count` values. Adds the gradients of weight and bias.
  fused::ChannelPull<double> pull_map(Index c, const fused::GradientSums& sums, double count, const Tape& tape) {
    const double off_centre = sums.centre - at(tape.mean, c);
    const double inverse = at(tape.inverse_deviation, c);
    const double about_mean = sums.product + off_centre * sums.gradient;
    const double scale = static_cast<double>(at(weight.value, c)) * inverse;
    at(weight.grad, c) += static_cast<T>(about_mean * inverse);
    at(bias.grad, c) += static_cast<T>(sums.gradient);
    const double slope = tape.of_batch ? -scale * inverse * inverse * about_mean / count : 0.0;
    const double offset = tape.of_batch ? -scale * sums.gradient / count + slope * off_centre : 0.0;
    return {scale, sums.centre, offset, slope};
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

  /// Which tensor says where dy counts.
  enum class Mask { none, output, input };

  void check_input(const Shape& x) const {
    check(x.c == channels(), "batch norm of ", channels(), " channels was given ", x);
  }

  void check_forward(const In& x, const Out& y, const In& shortcut) const {
    check_input(x.shape);
    check_shape("output of batch norm", y.shape, x.shape);
    if (shortcut.data != nullptr) check_shape("shortcut", shortcut.shape, x.shape);
  }

  /// Centre and shift such that scale * (x - centre) + shift normalises by `mean`.
  [[nodiscard]] fused::ChannelAffine<double> affine(Index c, double mean, double inverse) const {
    const double scale = static_cast<double>(at(weight.value, c)) * inverse;
    const auto centre = static_cast<double>(static_cast<T>(mean));
    return {scale, centre, static_cast<double>(at(bias.value, c)) + scale * (centre - mean)};
  }

  template <class Team, class A>
  static void apply(const Team& team, const ChannelBlock& block, const In& x, const Out& y, const In& shortcut,
                    Activation activation, const PerChannel<fused::ChannelAffine<A>>& maps) {
    for (Index n = 0; n < x.shape.n; ++n) {
      const auto on_planes = [&](const auto& of, const auto&... in) {
        map_each_plane(team, x.shape.plane(), block.size(), y.planes(n, block.first), of, in.planes(n, block.first)...);
      };
      if (shortcut.data != nullptr)
        on_planes([&](Index i) { return fused::ChannelAffineAddRelu<A>{at(maps, i)}; }, x, shortcut);
      else if (activation == Activation::relu)
        on_planes([&](Index i) { return fused::ChannelAffineRelu<A>{at(maps, i)}; }, x);
      else
        on_planes([&](Index i) { return at(maps, i); }, x);
    }
  }

  template <class B>
  void run_running(const B& backend, In x, Out y, In shortcut, Activation activation, Tape* tape) const {
    using A = typename B::Team::template accumulator<T>;
    check_forward(x, y, shortcut);
    if (tape != nullptr) begin_running(*tape);
    walk_channels(backend, x.shape, [&](const typename B::Team& team, const ChannelBlock& block) {
      PerChannel<fused::ChannelAffine<A>> maps;
      for (Index c = block.first; c < block.last; ++c)
        at(maps, c - block.first) = running_map(c, tape).template as<A>();
      apply(team, block, x, y, shortcut, activation, maps);
    });
  }

  template <class B>
  void run_batch(const B& backend, In x, Out y, In shortcut, Activation activation, Tape& tape) {
    check_forward(x, y, shortcut);
    reduce_batch(backend, x, tape, [&](const auto& team, const ChannelBlock& block, const auto& maps) {
      apply(team, block, x, y, shortcut, activation, maps);
    });
  }

  /// Statistics of the batch, and then(team, block, maps) for every block of channels while it is in cache.
  template <class B, class Then>
  void reduce_batch(const B& backend, In x, Tape& tape, const Then& then) {
    using A = typename B::Team::template accumulator<T>;
    begin_batch(x.shape, tape);
    const Index count = x.shape.n * x.shape.plane();
    if (count == 0) return;
    const auto elements = static_cast<double>(x.shape.plane());
    walk_channels(backend, x.shape, [&](const typename B::Team& team, const ChannelBlock& block) {
      PerChannel<fused::ChannelMoments> moments{};
      const auto add = [&](Index i, const PlaneMoments& plane) { at(moments, i).add(plane); };
      for (Index n = 0; n < x.shape.n; ++n)
        reduce_planes(team, MeanStd{}, x.shape.plane(), block.size(), recal::detail::MomentsSink{x.shape.plane(), add},
                      x.planes(n, block.first));
      PerChannel<fused::ChannelAffine<A>> maps;
      for (Index c = block.first; c < block.last; ++c)
        at(maps, c - block.first) =
            batch_map(c, at(moments, c - block.first), elements, static_cast<double>(count), tape).template as<A>();
      then(team, block, maps);
    });
  }

  void prepare(Tape& tape, bool of_batch) const {
    tape.of_batch = of_batch;
    resize(tape.mean, channels());
    resize(tape.inverse_deviation, channels());
    resize(tape.scale, channels());
    resize(tape.centre, channels());
    resize(tape.shift, channels());
  }

  fused::ChannelAffine<double> record(Tape& tape, Index c, double mean, double inverse) const {
    const fused::ChannelAffine<double> map = affine(c, mean, inverse);
    at(tape.mean, c) = mean;
    at(tape.inverse_deviation, c) = inverse;
    at(tape.scale, c) = static_cast<T>(map.scale);
    at(tape.centre, c) = static_cast<T>(map.centre);
    at(tape.shift, c) = static_cast<T>(map.shift);
    return map;
  }

  void check_tape(const Tape& tape) const {
    const auto taped = static_cast<Index>(tape.mean.size());
    check(taped == channels(), "batch norm's tape holds ", taped, " channels, the layer has ", channels(),
          "; forward comes before backward");
  }

  void check_backward(const In& x, const In& dy, const Out& dx, const In& y, const Out& dshortcut,
                      const Tape& tape) const {
    check_input(x.shape);
    check_shape("output gradient of batch norm", dy.shape, x.shape);
    check_shape("input gradient of batch norm", dx.shape, x.shape);
    if (y.data != nullptr) check_shape("output of batch norm", y.shape, x.shape);
    if (dshortcut.data != nullptr) check_shape("gradient of the shortcut", dshortcut.shape, x.shape);
    check_tape(tape);
  }

  /// With dr the masked dy and m the values of a channel, by Ioffe and Szegedy:
  ///   dx = weight * inverse * (dr - S0 / m - (x - mean) inverse^2 S1 / m),  S0 = sum dr, S1 = sum dr (x - mean)
  /// where the last two terms are absent when mean and variance are constants.
  template <class B>
  void pull(const B& backend, In x, In dy, Out dx, In y, Out dshortcut, Mask mask, const Tape& tape) {
    using A = typename B::Team::template accumulator<T>;
    check_backward(x, dy, dx, y, dshortcut, tape);
    hold_gradients(*this);
    const Index count = x.shape.plane();
    const Out masked = dshortcut.data != nullptr ? dshortcut : dx;
    const In dr = mask != Mask::none ? In(masked) : dy;
    const ConvStart<T> start = relu_start(tape);
    if (x.shape.n * count == 0) return;
    walk_channels(backend, x.shape, [&](const typename B::Team& team, const ChannelBlock& block) {
      PerChannel<fused::GradientSums> sums{};
      for (Index c = block.first; c < block.last; ++c) at(sums, c - block.first).centre = taped_map(c, tape).centre;
      for (Index n = 0; n < x.shape.n; ++n) {
        if (mask == Mask::output)
          map_planes(team, count, block.size(), masked.planes(n, block.first), fused::OpenWherePositive{},
                     y.planes(n, block.first), dy.planes(n, block.first));
        else if (mask == Mask::input)
          map_each_plane(
              team, count, block.size(), masked.planes(n, block.first),
              [&](Index i) { return fused::OpenWhereAffine<A>{start.template of<A>(block.first + i)}; },
              x.planes(n, block.first), dy.planes(n, block.first));
        reduce_planes(
            team, Dots{}, count, block.size(), [&](Index i, const auto& state) { at(sums, i).add(state); },
            x.planes(n, block.first), dr.planes(n, block.first));
      }
      PerChannel<fused::ChannelPull<A>> maps;
      for (Index c = block.first; c < block.last; ++c)
        at(maps, c - block.first) =
            pull_map(c, at(sums, c - block.first), static_cast<double>(x.shape.n * count), tape).template as<A>();
      for (Index n = 0; n < x.shape.n; ++n)
        map_each_plane(
            team, count, block.size(), dx.planes(n, block.first), [&](Index i) { return at(maps, i); },
            dr.planes(n, block.first), x.planes(n, block.first));
    });
  }
};

}  // namespace recal::nn
