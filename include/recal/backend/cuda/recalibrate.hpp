// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include <recal/backend/cuda/channel_walk.hpp>
#include <recal/core/visit.hpp>

namespace recal::cuda {

/// recal::Recalibrate on a device: the same pools and gates, integrations of backend/cuda/integrate, the same calls
/// with a machine in front (cuda::Stream). Views and tapes are in device memory; nothing waits for the device.
///
///   recal::cuda::Srm srm(stream, 256);
///   recal::cuda::Srm::Tape tape;
///   srm.forward(stream, x, y, tape);
///   srm.backward(stream, x, dy, dx, tape);
///
/// Elements are float, half or bfloat16, sums float, numbers per plane double, parameters float. Results do not depend
/// on the order in which blocks and threads run.
/// errors: recal::error, with both shapes, before anything is launched
/// cost:   forward reads x twice and writes y, backward reads x and dy twice and writes dx. Where the integration does
///         not mix channels and the planes of a channel fit the second cache (selector.hpp) that is one launch, and the
///         second read comes from the cache; else three launches, and a fourth for gradients of parameters
template <class P, class I, class G>
class Recalibrate {
  static_assert(StylePool<P>, "recal: the first argument of cuda::Recalibrate must be a StylePool");
  static_assert(DeviceIntegrate<I>, "recal: the second argument of cuda::Recalibrate must be a DeviceIntegrate");
  static_assert(Gate<G>, "recal: the third argument of cuda::Recalibrate must be a Gate");
  static_assert(static_cast<Index>(P::width) == static_cast<Index>(I::in),
                "recal: Integrate::in must equal StylePool::width, the numbers per plane");
  static_assert(static_cast<Index>(I::out) == static_cast<Index>(G::width),
                "recal: Integrate::out must equal Gate::width, the numbers per plane");

 public:
  using PoolType = P;
  using IntegrateType = I;
  using GateType = G;

  /// What backward needs of a forward pass, beside x, and the workspace of all passes. Grows, and is used again.
  struct Tape {
    Shape shape;
    Pass pass = Pass::infer;
    DeviceBuffer<double> states;
    DeviceBuffer<double> style;
    DeviceBuffer<double> excitation;
    DeviceBuffer<double> grad_style;
    DeviceBuffer<double> grad_excitation;
    DeviceBuffer<ApplyNumbers> gates;
    DeviceBuffer<PullNumbers> pulls;
    typename I::Tape integrate;
  };

  Recalibrate(Index channels, P pool, I integrate, G gate = {})
      : channels_(channels), pool_(std::move(pool)), integrate_(std::move(integrate)), gate_(std::move(gate)) {
    check(channels >= 1, "a recalibration module needs at least 1 channel, found ", channels);
  }

  [[nodiscard]] Index channels() const noexcept { return channels_; }
  [[nodiscard]] const P& pool() const noexcept { return pool_; }
  [[nodiscard]] const I& integrate() const noexcept { return integrate_; }
  [[nodiscard]] const G& gate() const noexcept { return gate_; }

  /// y may be x. `workspace` may be any tape that no backward pass is waiting for.
  template <Machine M, class X, class Y>
  void infer(const M& machine, const X& x, Y&& y, Tape& workspace) const {
    run_forward(machine, view_of(x), view_of(y), Pass::infer, workspace);
  }

  template <Machine M, class X, class Y>
  void infer(const M& machine, const X& x, Y&& y) const {
    Tape workspace;
    infer(machine, x, y, workspace);
  }

  template <Machine M, class X, class Y>
  void forward(const M& machine, const X& x, Y&& y, Tape& tape) const {
    run_forward(machine, view_of(x), view_of(y), Pass::train, tape);
  }

  template <Machine M, class X, class Y>
  void forward_frozen(const M& machine, const X& x, Y&& y, Tape& tape) const {
    run_forward(machine, view_of(x), view_of(y), Pass::frozen, tape);
  }

  /// dx assigned (dx may be dy or x); gradients of parameters added.
  /// requires: `tape` was filled by forward or forward_frozen on the same x
  template <Machine M, class X, class DY, class DX>
  void backward(const M& machine, const X& x, const DY& dy, DX&& dx, Tape& tape) const {
    run_backward(machine, view_of(x), view_of(dy), view_of(dx), tape);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v("", self.integrate_);
  }

 private:
  using View = typename I::View;

  void check_input(const Shape& shape) const {
    check(shape.c == channels_, "the module has ", channels_, " channels, the input has shape ", shape);
  }

  /// Channels are walked in one launch only where nothing mixes them.
  [[nodiscard]] static bool walks(const Shape& shape, Index element_bytes, Index tensors, Index multiprocessors) {
    return I::mixing != Mixing::channels && walks_channels(shape, element_bytes, tensors, multiprocessors);
  }

  template <class M>
  void begin(const M& machine, const Groups& groups, Index parts, Pass pass, Tape& tape) const {
    tape.shape = groups.shape;
    tape.pass = pass;
    tape.states.resize(machine,
                       std::max(States<P>::size(groups.planes(), parts), States<Dots>::size(groups.planes(), parts)));
    tape.style.resize(machine, groups.planes() * P::width);
    tape.excitation.resize(machine, groups.planes() * G::width);
    tape.gates.resize(machine, groups.planes());
    integrate_.begin(machine, groups.groups(), groups.rows(), tape.integrate);
  }

  template <class M, class T, class U>
  void run_forward(const M& machine, TensorView<T> from, TensorView<U> y, Pass pass, Tape& tape) const {
    const TensorView<const T> x = from;
    check_input(x.shape);
    check_shape("the output", y.shape, x.shape);
    if (pass != Pass::infer) recal::detail::check_not_in_place(x, y);
    const Groups groups{x.shape, I::mixing};
    recal::detail::check_rows(integrate_, channels_, groups.rows(), pass == Pass::train);
    const Split split = split_planes(groups.planes(), x.shape.plane(), machine.multiprocessors());
    begin(machine, groups, split.parts, pass, tape);
    if (x.shape.size() == 0) return;

    const bool walk = walks(x.shape, sizeof(T), 1, machine.multiprocessors());
    const States<P> states{tape.states.data(), walk ? 1 : split.parts};
    const ForwardRows<P, G, View> rows{pool_,
                                       gate_,
                                       integrate_.view(pass, tape.integrate),
                                       groups.rows(),
                                       x.shape.plane(),
                                       states,
                                       tape.style.data(),
                                       tape.excitation.data(),
                                       tape.gates.data()};
    const ApplyKernel<std::remove_const_t<T>, U> apply{groups, split, x, y, tape.gates.data()};
    if constexpr (I::mixing != Mixing::channels)
      if (walk) {
        machine.launch({groups.groups(), plane_threads, PlaneTeam<int>::template shared_bytes<P>},
                       ChannelForwardKernel<P, G, View, std::remove_const_t<T>, U>{walk_team(x.shape), rows, apply});
        return;
      }
    machine.launch({split.blocks(groups.planes()), plane_threads, PlaneTeam<int>::template shared_bytes<P>},
                   ReduceKernel<P, std::remove_const_t<T>>{groups, split, x, states});
    launch_rows(machine, groups.groups(), groups.rows(), rows);
    machine.launch({split.blocks(groups.planes()), plane_threads}, apply);
  }

  template <class M, class T, class U, class V>
  void run_backward(const M& machine, TensorView<T> from, TensorView<U> gradient, TensorView<V> dx, Tape& tape) const {
    const TensorView<const T> x = from;
    const TensorView<const U> dy = gradient;
    check_input(x.shape);
    check_shape("the tape", tape.shape, x.shape);
    check(tape.pass != Pass::infer, "backward comes after forward or forward_frozen; the tape is that of infer");
    check_shape("dy", dy.shape, x.shape);
    check_shape("dx", dx.shape, x.shape);
    if (x.shape.size() == 0) return;

    const Groups groups{x.shape, I::mixing};
    const bool walk = walks(x.shape, std::max(sizeof(T), sizeof(U)), 2, machine.multiprocessors());
    Split split = split_planes(groups.planes(), x.shape.plane(), machine.multiprocessors());
    // A pick is looked up in all of x before dx is written: over x, a whole block does both, with a barrier between.
    const bool over_x = static_cast<const void*>(dx.data) == static_cast<const void*>(x.data);
    if (over_x) split = {plane_threads, 1, x.shape.plane()};
    tape.grad_style.resize(machine, groups.planes() * P::width);
    tape.grad_excitation.resize(machine, groups.planes() * G::width);
    tape.pulls.resize(machine, groups.planes());
    const States<Dots> states{tape.states.data(), walk ? 1 : split.parts};
    const BackwardRows<P, G, View> rows{pool_,
                                        gate_,
                                        integrate_.view(tape.pass, tape.integrate),
                                        groups.rows(),
                                        x.shape.plane(),
                                        states,
                                        tape.style.data(),
                                        tape.excitation.data(),
                                        tape.grad_style.data(),
                                        tape.grad_excitation.data(),
                                        tape.pulls.data()};
    using Element = std::remove_const_t<T>;
    using Gradient = std::remove_const_t<U>;
    const PullKernel<Element, Gradient, V> pull{groups, split, x, dy, dx, tape.pulls.data()};
    const int shared = PlaneTeam<int>::template shared_bytes<Dots>;
    if constexpr (I::mixing != Mixing::channels)
      if (walk) {
        machine.launch({groups.groups(), plane_threads, shared},
                       ChannelBackwardKernel<P, G, View, Element, Gradient, V>{
                           over_x ? plane_threads : walk_team(x.shape), rows, pull});
        return;
      }
    machine.launch({split.blocks(groups.planes()), plane_threads, shared},
                   ReduceKernel<Dots, Element, Gradient>{groups, split, x, dy, states});
    launch_rows(machine, groups.groups(), groups.rows(), rows);
    if constexpr (I::mixing == Mixing::channels)
      machine.launch({rows.integrate.gradient_blocks(groups.rows()), plane_threads, BlockLanes<int>::shared_bytes},
                     GradientsKernel<View>{rows.integrate, groups.groups(), groups.rows(), tape.style.data(),
                                           tape.grad_excitation.data()});
    machine.launch({split.blocks(groups.planes()), plane_threads, shared}, pull);
  }

  Index channels_;
  P pool_;
  I integrate_;
  G gate_;
};

}  // namespace recal::cuda
