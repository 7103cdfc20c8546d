// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <recal/backend/cuda/field/field_pool.hpp>
#include <recal/backend/cuda/field/kernels.hpp>
#include <recal/backend/cuda/recalibrate.hpp>

namespace recal::cuda {

/// Recalibration with gates that vary over the map, on a device: recal::Recalibrate with a field pool. The calls of
/// cuda::Recalibrate with a style pool; tensors, parameters and errors likewise.
/// cost: forward reads x twice and writes y, backward reads x and dy in one pass, x in another where the pool has
///       parameters, dy in a third, and writes dx; nothing is fused, so that maps too large for the second cache come
///       from memory each time. Loads are element by element, neighbours to neighbouring threads.
///       Launches, beside the pool's own: forward 2 (integration with gates, apply), backward 3; an integration over
///       channels adds 2 transposes of the field to each, and the gradients of its parameters to the second
template <DeviceFieldPool P, class I, class G>
class Recalibrate<P, I, G> {
  static_assert(DeviceIntegrate<I>, "recal: the second argument of cuda::Recalibrate must be a DeviceIntegrate");
  static_assert(Gate<G>, "recal: the third argument of cuda::Recalibrate must be a Gate");
  static_assert(I::in == 1 && I::out == 1 && G::width == 1,
                "recal: a field pool gives one number per position; Integrate::in, Integrate::out and Gate::width must "
                "be 1");

 public:
  using PoolType = P;
  using IntegrateType = I;
  using GateType = G;

  /// What backward needs of a forward pass, beside x, and the workspace of all passes. Grows, and is used again.
  struct Tape {
    Shape shape;
    Pass pass = Pass::infer;
    DeviceBuffer<double> style;
    DeviceBuffer<double> excitation;
    DeviceBuffer<double> grad_style;
    DeviceBuffer<double> grad_excitation;
    DeviceBuffer<float> gates;        // by channel
    DeviceBuffer<double> by_channel;  // numbers on their way from or to groups that are positions
    DeviceBuffer<float> group_gates;  // the same
    typename P::Tape pool;
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
    v("", self.pool_);
    v("", self.integrate_);
  }

 private:
  static constexpr bool by_position = I::mixing == Mixing::channels;

  /// The field as a matrix of groups and rows.
  struct Layout {
    Shape field;
    [[nodiscard]] Index positions() const { return field.n * field.plane(); }
    [[nodiscard]] Index groups() const { return by_position ? positions() : field.c; }
    [[nodiscard]] Index rows() const { return by_position ? field.c : positions(); }
    [[nodiscard]] Launch launch() const {
      return {groups(), rows() <= warp_lanes ? warp_lanes : plane_threads, BlockLanes<int>::shared_bytes};
    }
  };

  Layout check_call(const Shape& x, const Shape& y) const {
    check(x.c == channels_, "the module has ", channels_, " channels, the input has shape ", x);
    check_shape("the output", y, x);
    return {pool_.field(x)};
  }

  void check_training(const Shape& x) const {
    if constexpr (requires { pool_.check_training(x); }) pool_.check_training(x);
  }

  template <class M>
  void begin(const M& machine, const Shape& x, const Layout& layout, Pass pass, Tape& tape) const {
    tape.shape = x;
    tape.pass = pass;
    const Index count = layout.field.size();
    for (auto* buffer : {&tape.style, &tape.excitation, &tape.grad_style, &tape.grad_excitation})
      buffer->resize(machine, count);
    tape.gates.resize(machine, count);
    if (by_position) tape.by_channel.resize(machine, count);
    if (by_position) tape.group_gates.resize(machine, count);
    pool_.begin(machine, x, tape.pool);
    integrate_.begin(machine, layout.groups(), layout.rows(), tape.integrate);
  }

  template <class M, class T, class U>
  void run_forward(const M& machine, TensorView<T> from, TensorView<U> y, Pass pass, Tape& tape) const {
    const TensorView<const T> x = from;
    const Layout layout = check_call(x.shape, y.shape);
    if (pass != Pass::infer) recal::detail::check_not_in_place(x, y);
    if (pass == Pass::train) check_training(x.shape);
    recal::detail::check_rows(integrate_, channels_, layout.rows(), pass == Pass::train);
    begin(machine, x.shape, layout, pass, tape);
    if (x.shape.size() == 0) return;

    pool_.forward(machine, x, by_position ? tape.by_channel.data() : tape.style.data(), pass, tape.pool);
    if constexpr (by_position) to_groups(machine, layout, tape.by_channel, tape.style);
    machine.launch(layout.launch(),
                   FieldForwardKernel<G, typename I::View>{gate_, integrate_.view(pass, tape.integrate), layout.rows(),
                                                           tape.style.data(), tape.excitation.data(),
                                                           by_position ? tape.group_gates.data() : tape.gates.data()});
    if constexpr (by_position) to_channels(machine, layout, tape.group_gates, tape.gates);
    const PixelSplit split = split_pixels(x.shape, machine.multiprocessors());
    machine.launch({split.blocks(x.shape), plane_threads},
                   FieldApplyKernel<std::remove_const_t<T>, U>{split, layout.field, x, y, tape.gates.data()});
  }

  template <class M, class T, class U, class V>
  void run_backward(const M& machine, TensorView<T> from, TensorView<U> gradient, TensorView<V> dx, Tape& tape) const {
    const TensorView<const T> x = from;
    const TensorView<const U> dy = gradient;
    check_shape("the tape", tape.shape, x.shape);
    check(tape.pass != Pass::infer, "backward comes after forward or forward_frozen; the tape is that of infer");
    check_shape("dy", dy.shape, x.shape);
    check_shape("dx", dx.shape, x.shape);
    const Layout layout = check_call(x.shape, dx.shape);
    if (x.shape.size() == 0) return;

    launch_gate_gradient(machine, layout, x, dy, by_position ? tape.by_channel.data() : tape.grad_excitation.data());
    if constexpr (by_position) to_groups(machine, layout, tape.by_channel, tape.grad_excitation);
    const auto integrate = integrate_.view(tape.pass, tape.integrate);
    machine.launch(layout.launch(), FieldBackwardKernel<G, typename I::View>{
                                        gate_, integrate, layout.rows(), tape.style.data(), tape.excitation.data(),
                                        tape.grad_excitation.data(), tape.grad_style.data()});
    if constexpr (by_position) {
      machine.launch({integrate.gradient_blocks(layout.rows()), plane_threads, BlockLanes<int>::shared_bytes},
                     GradientsKernel<typename I::View>{integrate, layout.groups(), layout.rows(), tape.style.data(),
                                                       tape.grad_excitation.data()});
      to_channels(machine, layout, tape.grad_style, tape.by_channel);
    }
    pool_.backward(machine, x, by_position ? tape.by_channel.data() : tape.grad_style.data(), tape.pass, tape.pool);
    launch_pull(machine, layout, dy, dx, tape);
  }

  template <class M, class T, class U>
  static void launch_gate_gradient(const M& machine, const Layout& layout, const TensorView<const T>& x,
                                   const TensorView<const U>& dy, double* grad) {
    const Shape& field = layout.field;
    const auto most = [](Index size, Index positions) { return (size + positions - 1) / positions; };
    const PositionSplit split = split_positions(field, most(x.shape.h, field.h), most(x.shape.w, field.w));
    machine.launch({split.blocks(field), plane_threads},
                   GateGradientKernel<std::remove_const_t<T>, std::remove_const_t<U>>{split, field, x, dy, grad});
  }

  template <class M, class U, class V>
  void launch_pull(const M& machine, const Layout& layout, const TensorView<const U>& dy, const TensorView<V>& dx,
                   Tape& tape) const {
    const PixelSplit split = split_pixels(dy.shape, machine.multiprocessors());
    machine.launch({split.blocks(dy.shape), plane_threads},
                   FieldPullKernel<std::remove_const_t<U>, V, typename P::View>{
                       split, layout.field, dy, dx, tape.gates.data(), pool_.view(dy.shape, tape.pool)});
  }

  template <class M, class T>
  static void to_groups(const M& machine, const Layout& layout, const DeviceBuffer<T>& from, DeviceBuffer<T>& to) {
    launch_transpose(machine, TransposeKernel<T>{layout.field.c, layout.positions(), from.data(), to.data()});
  }
  template <class M, class T>
  static void to_channels(const M& machine, const Layout& layout, const DeviceBuffer<T>& from, DeviceBuffer<T>& to) {
    launch_transpose(machine, TransposeKernel<T>{layout.positions(), layout.field.c, from.data(), to.data()});
  }
  template <class M, class T>
  static void launch_transpose(const M& machine, const TransposeKernel<T>& kernel) {
    machine.launch({kernel.blocks(), plane_threads, TransposeKernel<T>::shared_bytes}, kernel);
  }

  Index channels_;
  P pool_;
  I integrate_;
  G gate_;
};

}  // namespace recal::cuda
