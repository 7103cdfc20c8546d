// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <utility>

#include <recal/backend/backend.hpp>
#include <recal/backend/cpu/backend.hpp>
#include <recal/core/hold_gradients.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/visit.hpp>
#include <recal/core/zero_gradients.hpp>
#include <recal/gate/gate.hpp>
#include <recal/integrate/integrate.hpp>
#include <recal/pool/style_pool.hpp>
#include <recal/recalibrate_passes.hpp>
#include <recal/recalibrate_planes.hpp>
#include <recal/recalibrate_rows.hpp>

namespace recal {

/// A channel recalibration module: looks at each plane, summarises it in a few numbers, decides how
/// much its channel should count, and rescales it.
///
///   t = pool(x)   (N, C, P::width)      one pass over x
///   z = integrate(t)   (N, C, I::out)
///   y = gate(z) applied to x            affine per plane: y = scale*x + shift
///
/// Three modes, each with or without a backend in front (recal::Cpu if none is named):
///   infer           inference; x and y may be the same tensor
///   forward         training: batch statistics; fills the tape that backward needs
///   forward_frozen  running statistics, but differentiable: fills the tape too
///   backward        dx assigned (dx may be dy or x); parameter gradients added
///
/// Tensors are anything with recal::tensor_traits, in float, double, half or bfloat16; styles, gates
/// and their gradients are kept in double.
/// errors: recal::error, with both shapes, before anything is written
/// cost:   forward reads x (again from cache) and writes y; backward reads x and dy (again from
///         cache) and writes dx; infer as forward
template <class P, class I, class G>
class Recalibrate {
  static_assert(StylePool<P>,
                "recal: the first argument of Recalibrate must be a StylePool: width, State<A>, start, add, merge, "
                "finish and pull (see recal/pool/style_pool.hpp)");
  static_assert(Integrate<I>,
                "recal: the second argument of Recalibrate must be an Integrate: mixing, in, out, Tape, infer, forward "
                "and backward (see recal/integrate/integrate.hpp)");
  static_assert(Gate<G>,
                "recal: the third argument of Recalibrate must be a Gate: width, open and pull (see "
                "recal/gate/gate.hpp)");
  static_assert(static_cast<Index>(P::width) == static_cast<Index>(I::in),
                "recal: Integrate::in must equal StylePool::width, the numbers per plane");
  static_assert(static_cast<Index>(I::out) == static_cast<Index>(G::width),
                "recal: Integrate::out must equal Gate::width, the numbers per plane");

 public:
  using PoolType = P;
  using IntegrateType = I;
  using GateType = G;

  static constexpr std::string_view checkpoint_name = "rclb";

  /// What backward needs of a forward pass, beside x. The caller owns it; it may be used again and again.
  struct Tape : RowTape {
    typename I::Tape integrate;
  };

  /// requires: `integrate` is made for `channels` channels
  Recalibrate(Index channels, P pool, I integrate, G gate = {})
      : channels_(channels), pool_(std::move(pool)), integrate_(std::move(integrate)), gate_(std::move(gate)) {
    check(channels >= 1, "a recalibration module needs at least 1 channel, found ", channels);
  }

  /// A module whose integration is made from the number of channels alone.
  explicit Recalibrate(Index channels) requires std::constructible_from<I, Index> && std::default_initializable<P> &&
      std::default_initializable<G> : Recalibrate(channels, P{}, I(channels), G{}) {}

  [[nodiscard]] Index channels() const noexcept { return channels_; }
  [[nodiscard]] const P& pool() const noexcept { return pool_; }
  [[nodiscard]] const I& integrate() const noexcept { return integrate_; }
  [[nodiscard]] I& integrate() noexcept { return integrate_; }
  [[nodiscard]] const G& gate() const noexcept { return gate_; }

  /// Checks the shape and makes room: what comes before the planes in every forward pass that fills a tape.
  void begin(const Shape& shape, Mode mode, Tape& tape) const {
    check_input(shape);
    const Groups groups{shape, I::mixing};
    detail::check_rows(integrate_, channels_, groups.rows(), mode == Mode::train);
    tape.shape = shape;
    tape.cover(0, groups.planes(), P::width, I::out);
    detail::begin_tape(integrate_, groups.groups(), groups.rows(), mode, tape.integrate);
  }

  template <Backend B, class X, class Y>
  void infer(const B& backend, const X& x, Y&& y) const {
    const auto from = view_of(x);
    const auto to = view_of(y);
    check_input(from.shape);
    check_shape("the output", to.shape, from.shape);
    const Groups groups{from.shape, I::mixing};
    detail::check_rows(integrate_, channels_, groups.rows(), false);
    if (from.shape.size() == 0) return;

    detail::infer_planes(
        backend, pool_, integrate_, gate_, from, to,
        [&](const auto& team, const PlaneRun& run, const auto& gates) { detail::apply(team, run, gates, from, to); });
  }

  template <Backend B, class X, class Y>
  void forward(const B& backend, const X& x, Y&& y, Tape& tape) {
    run_forward(backend, view_of(x), view_of(y), Mode::train, tape);
  }

  template <Backend B, class X, class Y>
  void forward_frozen(const B& backend, const X& x, Y&& y, Tape& tape) {
    run_forward(backend, view_of(x), view_of(y), Mode::frozen, tape);
  }

  /// requires: `tape` was filled by forward or forward_frozen on the same x
  template <Backend B, class X, class DY, class DX>
  void backward(const B& backend, const X& x, const DY& dy, DX&& dx, Tape& tape) {
    const auto from = view_of(x);
    const auto grad = view_of(dy);
    const auto to = view_of(dx);
    check_input(from.shape);
    check_shape("the tape", tape.shape, from.shape);
    check_shape("dy", grad.shape, from.shape);
    check_shape("dx", to.shape, from.shape);
    hold_gradients(*this);
    if (from.shape.size() == 0) return;

    detail::backward_planes(backend, pool_, integrate_, gate_, from, grad, to, tape);
  }

  template <class X, class Y>
  void infer(const X& x, Y&& y) const {
    infer(Cpu{}, x, y);
  }
  template <class X, class Y>
  void forward(const X& x, Y&& y, Tape& tape) {
    forward(Cpu{}, x, y, tape);
  }
  template <class X, class Y>
  void forward_frozen(const X& x, Y&& y, Tape& tape) {
    forward_frozen(Cpu{}, x, y, tape);
  }
  template <class X, class DY, class DX>
  void backward(const X& x, const DY& dy, DX&& dx, Tape& tape) {
    backward(Cpu{}, x, dy, dx, tape);
  }

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    if constexpr (requires { I::visit(self.integrate_, v); }) v("", self.integrate_);
  }

 private:
  void check_input(const Shape& shape) const {
    check(shape.c == channels_, "the module has ", channels_, " channels, the input has shape ", shape);
  }

  template <class B, class X, class Y>
  void run_forward(const B& backend, X from, Y to, Mode mode, Tape& tape) {
    check_input(from.shape);
    check_shape("the output", to.shape, from.shape);
    detail::check_not_in_place(from, to);
    begin(from.shape, mode, tape);
    if (from.shape.size() == 0) return;
    detail::forward_planes(backend, pool_, integrate_, gate_, from, to, tape);
  }

  Index channels_;
  P pool_;
  I integrate_;
  G gate_;
};

}  // namespace recal
