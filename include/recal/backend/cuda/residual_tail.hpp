// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/batch_norm.hpp>
#include <recal/backend/cuda/recalibrate.hpp>
#include <recal/backend/cuda/tail_rows.hpp>
#include <recal/fused/tail_module.hpp>

namespace recal::cuda {

/// What the backward pass of a residual tail needs besides x, out and the tapes of norm and module.
struct ResidualTailTape {
  DeviceBuffer<double> moments;  // (rows, moment_parts, ...)
  Index moment_parts = 1;
  DeviceBuffer<double> sums;
  DeviceBuffer<double> scales;  // of the gates: (rows)
  DeviceBuffer<MapNumbers> maps;
};

namespace detail {

/// The passes of a residual tail of one module over tensors of T: what ResidualTail and infer_tail launch.
template <class Module, class T>
class TailPasses {
  using Pool = typename Module::PoolType;
  using Integrate = typename Module::IntegrateType;
  using GateType = typename Module::GateType;
  using View = typename Integrate::View;
  using Moments = TailMoments<Pool>;
  using In = TensorView<const T>;
  using Apply = AffineKernel<T, fused::ChannelAffineAddRelu<float>>;
  using PullPlanes = PullKernel<T, T, T>;
  static constexpr bool mixes = Integrate::mixing == Mixing::channels;

 public:
  TailPasses(const Module& module, const Shape& shape, int multiprocessors)
      : module_(module),
        groups_{shape, Integrate::mixing},
        multiprocessors_(multiprocessors),
        split_(split_planes(groups_.planes(), shape.plane(), multiprocessors)) {}

  /// errors: shapes that do not match; what the module refuses
  void check_forward(const In& x, const In& shortcut, const TensorView<T>& out, bool training) const {
    check(x.shape.c == module_.channels(), "the module has ", module_.channels(), " channels, the input has shape ",
          x.shape);
    check_shape("shortcut", shortcut.shape, x.shape);
    check_shape("output of a residual tail", out.shape, x.shape);
    recal::detail::check_rows(module_.integrate(), module_.channels(), groups_.rows(), training);
  }

  template <class M>
  void forward(const M& machine, const NormView& norm, Pass pass, const In& x, const In& shortcut,
               const TensorView<T>& out, typename Module::Tape& kept, ResidualTailTape& tape) const {
    const bool walk = walks(1);
    begin(machine, pass, walk ? 1 : split_.parts, kept, tape);
    if (x.shape.size() == 0) return;
    const auto numbers = numbers_of_planes(kept, tape, 1);
    const StyleRows<Pool, GateType> styles{module_.pool(), norm, numbers};
    const GateRows<Pool, GateType, View> gates{module_.gate(), module_.integrate().view(pass, kept.integrate), numbers,
                                               tape.maps.data()};
    const Apply apply{groups_, split_, x, shortcut, out, tape.maps.data(), false};
    constexpr int shared = tail_shared_bytes<Moments>;
    const auto moments = [&] {
      machine.launch({split_.blocks(groups_.planes()), plane_threads, shared},
                     ReduceKernel<Moments, T>{groups_, split_, x, numbers.moments});
    };
    if constexpr (mixes) {
      moments();
      launch_rows(machine, x.shape.c, x.shape.n, styles);
      launch_rows(machine, x.shape.n, x.shape.c, SampleTailRows<GateRows<Pool, GateType, View>>{gates, norm});
    } else {
      using Rows = ChannelTailRows<Pool, GateType, View>;
      const Rows rows{styles, gates};
      if (walk) {
        machine.launch({groups_.groups(), plane_threads, shared},
                       TailForwardKernel<Moments, Rows, T, fused::ChannelAffineAddRelu<float>>{
                           walk_team(x.shape), numbers.moments, rows, apply});
        return;
      }
      moments();
      launch_rows(machine, groups_.groups(), groups_.rows(), rows);
    }
    machine.launch({split_.blocks(groups_.planes()), plane_threads}, apply);
  }

  template <class M>
  void backward(const M& machine, const NormView& norm, const In& x, const In& out, const In& dout,
                const TensorView<T>& dshortcut, const TensorView<T>& dx, typename Module::Tape& kept,
                ResidualTailTape& tape) const {
    const bool walk = walks(2);
    const Index parts = walk ? 1 : split_.parts;
    tape.sums.resize(machine, States<CentredDots>::size(groups_.planes(), parts));
    kept.grad_style.resize(machine, groups_.planes() * Pool::width);
    kept.grad_excitation.resize(machine, groups_.planes() * GateType::width);
    kept.pulls.resize(machine, groups_.planes());
    const auto numbers = numbers_of_planes(kept, tape, parts);
    const View integrate = module_.integrate().view(kept.pass, kept.integrate);
    using Gates = GateGradientRows<Pool, GateType, View>;
    const Gates gates{module_.gate(), integrate, numbers};
    const NormGradientRows<Pool, GateType> channel{module_.pool(), norm, numbers, kept.pulls.data()};
    const SumsKernel<T, true> sums{groups_, split_, x, out, dout, dshortcut, norm.mean, numbers.sums};
    const PullPlanes pull{groups_, split_, x, In(dshortcut), dx, kept.pulls.data()};
    constexpr int shared = tail_shared_bytes<CentredDots>;
    const Index blocks = split_.blocks(groups_.planes());
    if constexpr (mixes) {
      machine.launch({blocks, plane_threads, shared}, sums);
      launch_rows(machine, x.shape.n, x.shape.c, SampleTailRows<Gates>{gates, norm});
      machine.launch(
          {integrate.gradient_blocks(x.shape.c), plane_threads, BlockLanes<int>::shared_bytes},
          GradientsKernel<View>{integrate, x.shape.n, x.shape.c, kept.style.data(), kept.grad_excitation.data()});
      launch_rows(machine, x.shape.c, x.shape.n, channel);
    } else {
      using Rows = ChannelTailGradientRows<Pool, GateType, View>;
      const Rows rows{gates, channel};
      if (walk) {
        machine.launch({groups_.groups(), plane_threads, shared},
                       TailBackwardKernel<Rows, T, true, PullPlanes>{walk_team(x.shape), sums, rows, pull});
        return;
      }
      machine.launch({blocks, plane_threads, shared}, sums);
      launch_rows(machine, groups_.groups(), groups_.rows(), rows);
    }
    machine.launch({blocks, plane_threads, shared}, pull);
  }

 private:
  [[nodiscard]] bool walks(Index tensors) const {
    return !mixes && walks_channels(groups_.shape, sizeof(T), tensors, multiprocessors_);
  }

  template <class M>
  void begin(const M& machine, Pass pass, Index parts, typename Module::Tape& kept, ResidualTailTape& tape) const {
    const Index planes = groups_.planes();
    kept.shape = groups_.shape;
    kept.pass = pass;
    kept.style.resize(machine, planes * Pool::width);
    kept.excitation.resize(machine, planes * GateType::width);
    module_.integrate().begin(machine, groups_.groups(), groups_.rows(), kept.integrate);
    tape.moment_parts = parts;
    tape.moments.resize(machine, States<Moments>::size(planes, parts));
    tape.scales.resize(machine, planes);
    tape.maps.resize(machine, planes);
  }

  [[nodiscard]] TailNumbers<Pool, GateType> numbers_of_planes(const typename Module::Tape& kept,
                                                              const ResidualTailTape& tape, Index sum_parts) const {
    return {groups_,
            {tape.moments.data(), tape.moment_parts},
            {tape.sums.data(), sum_parts},
            kept.style.data(),
            kept.excitation.data(),
            tape.scales.data(),
            kept.grad_style.data(),
            kept.grad_excitation.data()};
  }

  const Module& module_;
  Groups groups_;
  int multiprocessors_;
  Split split_;
};

}  // namespace detail

/// recal::ResidualTail on a device: the end of a residual block with a module, in as many passes over memory as without
/// one:
///
///   y = norm(x),  s, h = gate(integrate(pool(y))) per plane,  out = max(0, s y + h + shortcut)
///
/// A view of a norm and a module whose pool is a MomentPool, and of their tapes; it owns nothing. All tensors of a call
/// have the same elements: float, half or bfloat16.
/// errors: recal::error, with both shapes, before anything is launched
/// cost:   forward reads x twice and the shortcut, and writes out; backward reads x twice, out and dout, and writes
///         dshortcut (and reads it again) and dx. Where the integration does not mix channels and the planes of a
///         channel fit the second cache (selector.hpp) that is one launch, and the second reads come from the cache;
///         else three, and where it mixes channels one more, or two backward
/// source: the algebra is in docs/design.md, "The residual tail"
template <class Module>
class ResidualTail {
  static_assert(MomentPool<typename Module::PoolType>,
                "recal: the pool of a module in a cuda::ResidualTail must be a MomentPool");

 public:
  ResidualTail(const BatchNorm2d& norm, const Module& module, BatchNorm2d::Tape& norm_tape,
               typename Module::Tape& module_tape, ResidualTailTape& tape)
      : norm_(norm), module_(module), norm_tape_(norm_tape), module_tape_(module_tape), tape_(tape) {}

  /// Training mode, or with running statistics but differentiable. out may be the shortcut, not x.
  template <Machine M, class X, class S, class Y>
  void forward(const M& machine, const X& x, const S& shortcut, Y&& out, Mode mode) const {
    run_forward<scalar_t<X>>(machine, view_of(x), view_of(shortcut), view_of(out),
                             mode == Mode::train ? Pass::train : Pass::frozen);
  }

  /// With running statistics, and no backward pass to follow. out may be x or the shortcut; the tapes are workspace.
  template <Machine M, class X, class S, class Y>
  void infer(const M& machine, const X& x, const S& shortcut, Y&& out) const {
    run_forward<scalar_t<X>>(machine, view_of(x), view_of(shortcut), view_of(out), Pass::infer);
  }

  /// dshortcut and dx assigned (dshortcut may be dout; dx is none of the others), parameter gradients added.
  /// requires: x, out and the tapes as forward() left them
  template <Machine M, class X, class Y, class DY, class DS, class DX>
  void backward(const M& machine, const X& x, const Y& out, const DY& dout, DS&& dshortcut, DX&& dx) const {
    run_backward<scalar_t<X>>(machine, view_of(x), view_of(out), view_of(dout), view_of(dshortcut), view_of(dx));
  }

 private:
  template <class T, class M>
  void run_forward(const M& machine, TensorView<const T> x, TensorView<const T> shortcut, TensorView<T> out,
                   Pass pass) const {
    const detail::TailPasses<Module, T> passes(module_, x.shape, machine.multiprocessors());
    const bool training = pass == Pass::train;
    passes.check_forward(x, shortcut, out, training);
    norm_.check_pass(x.shape, training);
    if (pass != Pass::infer) recal::detail::check_not_in_place(x, out);
    norm_.begin(machine, training, norm_tape_);
    passes.forward(machine, norm_.view(norm_tape_), pass, x, shortcut, out, module_tape_, tape_);
  }

  template <class T, class M>
  void run_backward(const M& machine, TensorView<const T> x, TensorView<const T> out, TensorView<const T> dout,
                    TensorView<T> dshortcut, TensorView<T> dx) const {
    check_shape("the tape", module_tape_.shape, x.shape);
    check(module_tape_.pass != Pass::infer, "backward comes after forward; the tape is that of infer");
    check_shape("output of a residual tail", out.shape, x.shape);
    check_shape("its gradient", dout.shape, x.shape);
    check_shape("gradient of the shortcut", dshortcut.shape, x.shape);
    check_shape("input gradient of a residual tail", dx.shape, x.shape);
    norm_.check_tape(norm_tape_);
    if (x.shape.size() == 0) return;
    const detail::TailPasses<Module, T> passes(module_, x.shape, machine.multiprocessors());
    passes.backward(machine, norm_.view(norm_tape_), x, out, dout, dshortcut, dx, module_tape_, tape_);
  }

  const BatchNorm2d& norm_;
  const Module& module_;
  BatchNorm2d::Tape& norm_tape_;
  typename Module::Tape& module_tape_;
  ResidualTailTape& tape_;
};

/// The same at inference, where the norm is already part of the convolution: out = max(0, module(x) + shortcut).
/// out may be x or the shortcut; the tapes are workspace.
template <Machine M, class Module, class X, class S, class Y>
void infer_tail(const M& machine, const Module& module, const X& x, const S& shortcut, Y&& out,
                typename Module::Tape& workspace, ResidualTailTape& tape) {
  using T = scalar_t<X>;
  const TensorView<const T> from = view_of(x);
  const TensorView<const T> beside = view_of(shortcut);
  const TensorView<T> to = view_of(out);
  const detail::TailPasses<Module, T> passes(module, from.shape, machine.multiprocessors());
  passes.check_forward(from, beside, to, false);
  passes.forward(machine, NormView{}, Pass::infer, from, beside, to, workspace, tape);
}

template <Machine M, class Module, class X, class S, class Y>
void infer_tail(const M& machine, const Module& module, const X& x, const S& shortcut, Y&& out) {
  typename Module::Tape workspace;
  ResidualTailTape tape;
  infer_tail(machine, module, x, shortcut, out, workspace, tape);
}

}  // namespace recal::cuda
