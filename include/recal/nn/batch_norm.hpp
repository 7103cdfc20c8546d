// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/backend.hpp>
#include <recal/backend/channel_block.hpp>
#include <recal/backend/conv_start.hpp>
#include <recal/backend/lanes_sink.hpp>
#include <recal/core/dots.hpp>
#include <recal/core/error.hpp>
#include <recal/core/for_each_lanes.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/numbers.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/visit.hpp>
#include <recal/fused/channel_sums.hpp>
#include <recal/fused/channel_walk.hpp>
#include <recal/pool/mean_std.hpp>

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

  /// What the batch does to channel c whose `count` values have these moments, in planes of `elements`; with packs, to
  /// as many channels from c on. Moves the running statistics and fills the tape.
  template <class A>
  fused::ChannelAffine<A> batch_map(Index c, const fused::BasicChannelMoments<A>& moments, double elements,
                                    double count, Tape& tape) {
    const A mean = moments.mean();
    const A squares = moments.squares(elements);
    recal::detail::blend_at(running_mean.value, c, momentum, mean);
    recal::detail::blend_at(running_var.value, c, momentum, squares / A(count - 1.0));
    return record(tape, c, mean, recal::detail::inverse_root(squares / A(count), eps));
  }

  /// What the running statistics do to a channel. Fills the tape where there is one.
  template <class A = double>
  fused::ChannelAffine<A> running_map(Index c, Tape* tape) const {
    const A mean = recal::detail::numbers_at<A>(running_mean.value, c);
    const A inverse = recal::detail::inverse_root(recal::detail::numbers_at<A>(running_var.value, c), eps);
    return tape != nullptr ? record(*tape, c, mean, inverse) : affine(c, mean, inverse);
  }

  /// The map of the pass that the tape is of.
  template <class A = double>
  [[nodiscard]] fused::ChannelAffine<A> taped_map(Index c, const Tape& tape) const {
    return affine(c, recal::detail::numbers_at<A>(tape.mean, c),
                  recal::detail::numbers_at<A>(tape.inverse_deviation, c));
  }

  /// The sums of a block's channels over nothing yet.
  [[nodiscard]] fused::PerChannel<fused::BasicGradientSums, double> no_sums(const ChannelBlock& block,
                                                                            const Tape& tape) const {
    fused::PerChannel<fused::BasicGradientSums, double> sums{};
    recal::detail::for_each_lanes(block.size(), [&]<class A>(Index i, A) {
      sums.set(i, fused::BasicGradientSums<A>{.centre = recal::detail::numbers_at<A>(tape.centre, block.first + i)});
    });
    return sums;
  }

  /// dx from dr and x, given a channel's sums over `count` values. Adds the gradients of weight and bias.
  template <class A>
  fused::ChannelPull<A> pull_map(Index c, const fused::BasicGradientSums<A>& sums, double count, const Tape& tape) {
    const A off_centre = sums.centre - recal::detail::numbers_at<A>(tape.mean, c);
    const A inverse = recal::detail::numbers_at<A>(tape.inverse_deviation, c);
    const A about_mean = sums.product + off_centre * sums.gradient;
    const A scale = recal::detail::numbers_at<A>(weight.value, c) * inverse;
    recal::detail::add_at(weight.grad, c, about_mean * inverse);
    recal::detail::add_at(bias.grad, c, sums.gradient);
    const A slope = tape.of_batch ? -scale * inverse * inverse * about_mean / A(count) : A(0);
    const A offset = tape.of_batch ? -scale * sums.gradient / A(count) + slope * off_centre : A(0);
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
  template <class A>
  [[nodiscard]] fused::ChannelAffine<A> affine(Index c, A mean, A inverse) const {
    const A scale = recal::detail::numbers_at<A>(weight.value, c) * inverse;
    const A centre = rounded_to<T>(mean);
    return {scale, centre, recal::detail::numbers_at<A>(bias.value, c) + scale * (centre - mean)};
  }

  template <class Team, class A>
  static void apply(const Team& team, const ChannelBlock& block, const In& x, const Out& y, const In& shortcut,
                    Activation activation, const fused::PerChannel<fused::ChannelAffine, A>& maps) {
    for (Index n = 0; n < x.shape.n; ++n) {
      const auto on_planes = [&](const auto& of, const auto&... in) {
        map_each_plane(team, x.shape.plane(), block.size(), y.planes(n, block.first), of, in.planes(n, block.first)...);
      };
      if (shortcut.data != nullptr)
        on_planes([&](Index i) { return fused::ChannelAffineAddRelu<A>{maps.get(i)}; }, x, shortcut);
      else if (activation == Activation::relu)
        on_planes([&](Index i) { return fused::ChannelAffineRelu<A>{maps.get(i)}; }, x);
      else
        on_planes([&](Index i) { return maps.get(i); }, x);
    }
  }

  template <class B>
  void run_running(const B& backend, In x, Out y, In shortcut, Activation activation, Tape* tape) const {
    using A = typename B::Team::template accumulator<T>;
    check_forward(x, y, shortcut);
    if (tape != nullptr) begin_running(*tape);
    walk_channels(backend, x.shape, [&](const typename B::Team& team, const ChannelBlock& block) {
      fused::PerChannel<fused::ChannelAffine, A> maps;
      recal::detail::for_each_lanes(block.size(),
                                    [&]<class L>(Index i, L) { maps.set(i, running_map<L>(block.first + i, tape)); });
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
      const auto moments = fused::channel_moments<MeanStd>(team, block, x, [](Index) { return [](const auto&...) {}; });
      fused::PerChannel<fused::ChannelAffine, A> maps;
      recal::detail::for_each_lanes(block.size(), [&]<class L>(Index i, L) {
        maps.set(i, batch_map(block.first + i, moments.template get<L>(i), elements, static_cast<double>(count), tape));
      });
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

  template <class A>
  fused::ChannelAffine<A> record(Tape& tape, Index c, A mean, A inverse) const {
    const fused::ChannelAffine<A> map = affine(c, mean, inverse);
    store(tape.mean.data() + c, mean);
    store(tape.inverse_deviation.data() + c, inverse);
    store(tape.scale.data() + c, map.scale);
    store(tape.centre.data() + c, map.centre);
    store(tape.shift.data() + c, map.shift);
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
      auto sums = no_sums(block, tape);
      for (Index n = 0; n < x.shape.n; ++n) {
        if (mask == Mask::output)
          map_planes(team, count, block.size(), masked.planes(n, block.first), fused::OpenWherePositive{},
                     y.planes(n, block.first), dy.planes(n, block.first));
        else if (mask == Mask::input)
          map_each_plane(
              team, count, block.size(), masked.planes(n, block.first),
              [&](Index i) { return fused::OpenWhereAffine<A>{start.template of<A>(block.first + i)}; },
              x.planes(n, block.first), dy.planes(n, block.first));
        const auto add = [&]<class L>(Index i, Index, const Dots::State<L>& planes) {
          auto own = sums.template get<L>(i);
          own.add(planes);
          sums.set(i, own);
        };
        reduce_planes(team, Dots{}, count, block.size(), recal::detail::LanesSink{add}, x.planes(n, block.first),
                      dr.planes(n, block.first));
      }
      fused::PerChannel<fused::ChannelPull, A> maps;
      recal::detail::for_each_lanes(block.size(), [&]<class L>(Index i, L) {
        maps.set(i, pull_map(block.first + i, sums.template get<L>(i), static_cast<double>(x.shape.n * count), tape));
      });
      for (Index n = 0; n < x.shape.n; ++n)
        map_each_plane(
            team, count, block.size(), dx.planes(n, block.first), [&](Index i) { return maps.get(i); },
            dr.planes(n, block.first), x.planes(n, block.first));
    });
  }
};

}  // namespace recal::nn
