// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <recal/backend/cuda/tail_kernels.hpp>
#include <recal/nn/batch_norm.hpp>

namespace recal::cuda {

/// nn::BatchNorm2d on a device: the same calls with a machine in front (cuda::Stream). Views and tapes are in device
/// memory; nothing waits for the device. All tensors of a call have the same elements: float, half or bfloat16.
///
///   y = weight * (x - mean) / sqrt(var + eps) + bias
///
/// y may alias x in infer(), and the shortcut anywhere.
/// errors: recal::error, with both shapes, before anything is launched; training on a single value a channel
/// cost:   forward reads x twice and writes y, backward reads x and dy twice (and y once, for the mask) and writes dx,
///         in one launch where the planes of a channel fit the second cache (selector.hpp), which the second read then
///         comes from; else in three. With running statistics: x once, two launches
class BatchNorm2d {
 public:
  DeviceParameter weight;
  DeviceParameter bias;
  DeviceState running_mean;
  DeviceState running_var;
  DeviceState num_batches_tracked;
  double eps = 1e-5;
  double momentum = 0.1;

  /// What backward needs besides x, and the workspace of all passes. Grows, and is used again.
  struct Tape {
    DeviceBuffer<double> mean;
    DeviceBuffer<double> inverse_deviation;
    bool of_batch = false;
    DeviceBuffer<double> states;
    DeviceBuffer<MapNumbers> maps;
  };

  template <Machine M>
  BatchNorm2d(const M& machine, Index channels)
      : weight(machine, {"weight", {channels}, 1.0F}),
        bias(machine, {"bias", {channels}}),
        running_mean(machine, {"running_mean", channels}),
        running_var(machine, {"running_var", channels, 1.0F}),
        num_batches_tracked(machine, {"num_batches_tracked", 1}) {
    num_batches_tracked.shape.clear();
  }

  [[nodiscard]] Index channels() const noexcept { return weight.size(); }

  /// `workspace` may be any tape that no backward pass is waiting for.
  template <Machine M, class X, class Y>
  void infer(const M& machine, const X& x, Y&& y, Tape& workspace,
             nn::Activation activation = nn::Activation::none) const {
    run_running<scalar_t<X>>(machine, view_of(x), view_of(y), {}, activation, workspace);
  }

  template <Machine M, class X, class Y>
  void infer(const M& machine, const X& x, Y&& y, nn::Activation activation = nn::Activation::none) const {
    Tape workspace;
    infer(machine, x, y, workspace, activation);
  }

  /// y = max(0, bn(x) + shortcut)
  template <Machine M, class X, class S, class Y>
  void infer_add_relu(const M& machine, const X& x, const S& shortcut, Y&& y, Tape& workspace) const {
    run_running<scalar_t<X>>(machine, view_of(x), view_of(y), view_of(shortcut), nn::Activation::relu, workspace);
  }

  template <Machine M, class X, class S, class Y>
  void infer_add_relu(const M& machine, const X& x, const S& shortcut, Y&& y) const {
    Tape workspace;
    infer_add_relu(machine, x, shortcut, y, workspace);
  }

  template <Machine M, class X, class Y>
  void forward(const M& machine, const X& x, Y&& y, Tape& tape,
               nn::Activation activation = nn::Activation::none) const {
    run_batch<scalar_t<X>>(machine, view_of(x), view_of(y), {}, activation, tape);
  }

  template <Machine M, class X, class S, class Y>
  void forward_add_relu(const M& machine, const X& x, const S& shortcut, Y&& y, Tape& tape) const {
    run_batch<scalar_t<X>>(machine, view_of(x), view_of(y), view_of(shortcut), nn::Activation::relu, tape);
  }

  /// infer() that backward() can follow; changes no state.
  template <Machine M, class X, class Y>
  void forward_frozen(const M& machine, const X& x, Y&& y, Tape& tape,
                      nn::Activation activation = nn::Activation::none) const {
    run_running<scalar_t<X>>(machine, view_of(x), view_of(y), {}, activation, tape);
  }

  template <Machine M, class X, class S, class Y>
  void forward_frozen_add_relu(const M& machine, const X& x, const S& shortcut, Y&& y, Tape& tape) const {
    run_running<scalar_t<X>>(machine, view_of(x), view_of(y), view_of(shortcut), nn::Activation::relu, tape);
  }

  /// dx assigned (may alias dy); gradients of weight and bias added.
  template <Machine M, class X, class DY, class DX>
  void backward(const M& machine, const X& x, const DY& dy, DX&& dx, Tape& tape) const {
    pull<false, scalar_t<X>>(machine, view_of(x), view_of(dy), view_of(dx), {}, {}, tape);
  }

  /// The same after Activation::relu, of which y is the output: dy counts where y > 0.
  template <Machine M, class X, class Y, class DY, class DX>
  void backward_relu(const M& machine, const X& x, const Y& y, const DY& dy, DX&& dx, Tape& tape) const {
    pull<true, scalar_t<X>>(machine, view_of(x), view_of(dy), view_of(dx), view_of(y), {}, tape);
  }

  /// The same after *_add_relu; dshortcut = dy where y > 0, else 0 (assigned, may alias dy; dx may not alias it).
  template <Machine M, class X, class Y, class DY, class DS, class DX>
  void backward_add_relu(const M& machine, const X& x, const Y& y, const DY& dy, DS&& dshortcut, DX&& dx,
                         Tape& tape) const {
    pull<true, scalar_t<X>>(machine, view_of(x), view_of(dy), view_of(dx), view_of(y), view_of(dshortcut), tape);
  }

  /// The parts of a pass, for passes that do a batch norm and what follows at once (residual_tail.hpp).

  /// errors: channels that do not match; in training a single value a channel
  void check_pass(const Shape& x, bool of_batch) const {
    check(x.c == channels(), "batch norm of ", channels(), " channels was given ", x);
    check(!of_batch || x.n * x.plane() != 1, "training batch norm needs more than one value per channel, found one in ",
          x);
  }

  template <Machine M>
  void begin(const M& machine, bool of_batch, Tape& tape) const {
    tape.of_batch = of_batch;
    tape.mean.resize(machine, channels());
    tape.inverse_deviation.resize(machine, channels());
  }

  /// errors: a tape of no forward pass
  void check_tape(const Tape& tape) const {
    check(tape.mean.size() == channels(), "batch norm's tape holds ", tape.mean.size(), " channels, the layer has ",
          channels(), "; forward comes before backward");
  }

  /// For the pass that the tape is of. requires: begin()
  [[nodiscard]] NormView view(const Tape& tape) const {
    return {view_of_parameter(weight),
            view_of_parameter(bias),
            running_mean.value.data(),
            running_var.value.data(),
            num_batches_tracked.value.data(),
            tape.mean.data(),
            tape.inverse_deviation.data(),
            eps,
            momentum,
            tape.of_batch};
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
  template <class T>
  using In = TensorView<const T>;
  template <class T>
  using Out = TensorView<T>;

  /// Sizes by which a tensor is worked on: rows are channel by channel.
  template <class M>
  [[nodiscard]] static Split split_of(const M& machine, const Groups& groups) {
    return split_planes(groups.planes(), groups.shape.plane(), machine.multiprocessors());
  }

  template <class T>
  void check_forward(const In<T>& x, const Out<T>& y, const In<T>& shortcut, bool of_batch) const {
    check_pass(x.shape, of_batch);
    check_shape("output of batch norm", y.shape, x.shape);
    if (shortcut.data != nullptr) check_shape("shortcut", shortcut.shape, x.shape);
  }

  /// f(kernel) with the kernel that follows the norm with what is asked for.
  template <class T, class F>
  static void with_apply(const Groups& groups, const Split& split, In<T> x, In<T> shortcut, Out<T> y,
                         nn::Activation activation, const Tape& tape, const F& f) {
    const MapNumbers* maps = tape.maps.data();
    if (shortcut.data != nullptr)
      f(AffineKernel<T, fused::ChannelAffineAddRelu<float>>{groups, split, x, shortcut, y, maps, true});
    else if (activation == nn::Activation::relu)
      f(AffineKernel<T, fused::ChannelAffineRelu<float>>{groups, split, x, {}, y, maps, true});
    else
      f(AffineKernel<T, fused::ChannelAffine<float>>{groups, split, x, {}, y, maps, true});
  }

  template <class T, class M>
  void run_running(const M& machine, In<T> x, Out<T> y, In<T> shortcut, nn::Activation activation, Tape& tape) const {
    check_forward<T>(x, y, shortcut, false);
    begin(machine, false, tape);
    tape.maps.resize(machine, channels());
    if (x.shape.size() == 0) return;
    const Groups groups{x.shape, Mixing::none};
    const Split split = split_of(machine, groups);
    launch_rows(machine, x.shape.c, 1, NormForwardRows{view(tape), groups, {}, tape.maps.data()});
    with_apply<T>(groups, split, x, shortcut, y, activation, tape, [&](const auto& apply) {
      machine.launch({split.blocks(groups.planes()), plane_threads}, apply);
    });
  }

  template <class T, class M>
  void run_batch(const M& machine, In<T> x, Out<T> y, In<T> shortcut, nn::Activation activation, Tape& tape) const {
    check_forward<T>(x, y, shortcut, true);
    begin(machine, true, tape);
    tape.maps.resize(machine, channels());
    if (x.shape.size() == 0) return;
    const Groups groups{x.shape, Mixing::none};
    const Split split = split_of(machine, groups);
    const bool walk = walks_channels(x.shape, sizeof(T), 1, machine.multiprocessors());
    const Index parts = walk ? 1 : split.parts;
    tape.states.resize(machine, States<MeanStd>::size(groups.planes(), parts));
    const States<MeanStd> states{tape.states.data(), parts};
    const NormForwardRows rows{view(tape), groups, states, tape.maps.data()};
    constexpr int shared = tail_shared_bytes<MeanStd>;
    with_apply<T>(groups, split, x, shortcut, y, activation, tape, [&]<class Map>(const AffineKernel<T, Map>& apply) {
      if (walk) {
        machine.launch({groups.groups(), plane_threads, shared},
                       TailForwardKernel<MeanStd, NormForwardRows, T, Map>{walk_team(x.shape), states, rows, apply});
        return;
      }
      machine.launch({split.blocks(groups.planes()), plane_threads, shared},
                     ReduceKernel<MeanStd, T>{groups, split, x, states});
      launch_rows(machine, groups.groups(), groups.rows(), rows);
      machine.launch({split.blocks(groups.planes()), plane_threads}, apply);
    });
  }

  template <class T>
  void check_backward(const In<T>& x, const In<T>& dy, const Out<T>& dx, const In<T>& y, const Out<T>& dshortcut,
                      const Tape& tape) const {
    check_pass(x.shape, false);
    check_shape("output gradient of batch norm", dy.shape, x.shape);
    check_shape("input gradient of batch norm", dx.shape, x.shape);
    if (y.data != nullptr) check_shape("output of batch norm", y.shape, x.shape);
    if (dshortcut.data != nullptr) check_shape("gradient of the shortcut", dshortcut.shape, x.shape);
    check_tape(tape);
  }

  template <bool masks, class T, class M>
  void pull(const M& machine, In<T> x, In<T> dy, Out<T> dx, In<T> y, Out<T> dshortcut, Tape& tape) const {
    check_backward<T>(x, dy, dx, y, dshortcut, tape);
    if (x.shape.size() == 0) return;
    const Groups groups{x.shape, Mixing::none};
    const Split split = split_of(machine, groups);
    const bool walk = walks_channels(x.shape, sizeof(T), 2, machine.multiprocessors());
    const Index parts = walk ? 1 : split.parts;
    tape.states.resize(machine, States<CentredDots>::size(groups.planes(), parts));
    const States<CentredDots> states{tape.states.data(), parts};
    const Out<T> masked = dshortcut.data != nullptr ? dshortcut : dx;
    const SumsKernel<T, masks> sums{groups, split, x, y, dy, masked, tape.mean.data(), states};
    const NormBackwardRows rows{view(tape), groups, states, tape.maps.data()};
    const NormPullKernel<T> pull{groups, split, x, masks ? In<T>(masked) : dy, dx, tape.maps.data()};
    constexpr int shared = tail_shared_bytes<CentredDots>;
    if (walk) {
      machine.launch(
          {groups.groups(), plane_threads, shared},
          TailBackwardKernel<NormBackwardRows, T, masks, NormPullKernel<T>>{walk_team(x.shape), sums, rows, pull});
      return;
    }
    machine.launch({split.blocks(groups.planes()), plane_threads, shared}, sums);
    launch_rows(machine, groups.groups(), groups.rows(), rows);
    machine.launch({split.blocks(groups.planes()), plane_threads}, pull);
  }
};

}  // namespace recal::cuda
