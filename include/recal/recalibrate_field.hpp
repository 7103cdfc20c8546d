// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <recal/core/hold_gradients.hpp>
#include <recal/core/kept.hpp>
#include <recal/pool/field_pool.hpp>
#include <recal/recalibrate.hpp>

namespace recal {

namespace detail {

/// Where the numbers of each position of each plane lie: together per channel, unless the
/// integration mixes channels; then a group is one position of one sample and its rows are channels.
struct FieldLayout {
  Shape map;
  Shape field;
  Mixing mixing;

  [[nodiscard]] bool by_position() const { return mixing == Mixing::channels; }
  [[nodiscard]] Index groups() const { return by_position() ? field.n * field.plane() : field.c; }
  [[nodiscard]] Index rows() const { return by_position() ? field.c : field.n * field.plane(); }

  [[nodiscard]] Index row(Index n, Index c, Index position) const {
    return by_position() ? (n * field.plane() + position) * field.c + c : (c * field.n + n) * field.plane() + position;
  }

  [[nodiscard]] std::span<double> slice(Buffer<double>& all, Index group) const {
    return {all.data() + group * rows(), static_cast<std::size_t>(rows())};
  }

  [[nodiscard]] Index channel_elements() const { return map.n * map.plane(); }
};

/// f(element, position) for every pixel of a plane, position by nearest resize.
template <class F>
void for_each_pixel(const Shape& x, const Shape& field, const F& f) {
  for (Index i = 0; i < x.h; ++i) {
    const Index p = nearest(i, x.h, field.h) * field.w;
    for (Index j = 0; j < x.w; ++j) f(i * x.w + j, p + nearest(j, x.w, field.w));
  }
}

}  // namespace detail

/// Recalibration with gates that vary over the map: the pool leaves a field (N, C, h, w), every
/// position of which is integrated and gated, and the gates are spread over the map by nearest resize.
///   t = gather(x),   z = integrate(t),   y[n,c,i,j] = open(z[n,c,floor(i h/H),floor(j w/W)]) x[n,c,i,j]
/// The same four calls as Recalibrate with a style pool. Channels are walked one by one while their
/// planes are hot; an integration that mixes channels makes three walks over the whole tensor.
/// requires: one number per position (Integrate::in == out == Gate::width == 1), gates that only scale
template <FieldPool P, class I, class G>
class Recalibrate<P, I, G> {
  static_assert(Integrate<I>, "recal: the second argument of Recalibrate must be an Integrate");
  static_assert(Gate<G>, "recal: the third argument of Recalibrate must be a Gate");
  static_assert(
      I::in == 1 && I::out == 1 && G::width == 1,
      "recal: a field pool gives one number per position; Integrate::in, Integrate::out and Gate::width must be 1");

 public:
  using PoolType = P;
  using IntegrateType = I;
  using GateType = G;

  static constexpr std::string_view checkpoint_name = "rclb";

  struct Tape : RowTape {
    Buffer<double> grad_style;  // of fields that are more than a number a plane
    Buffer<double> grad_excitation;
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
  [[nodiscard]] I& integrate() noexcept { return integrate_; }
  [[nodiscard]] const G& gate() const noexcept { return gate_; }

  /// Checks the shape and makes room: what comes before the planes in every forward pass that fills a tape.
  void begin(const Shape& x, Mode mode, Tape& tape) const {
    const auto layout = check_call(x, x, mode == Mode::train);
    tape.shape = x;
    tape.cover(0, layout.field.size(), 1, 1);
    pool_.begin(x, mode, tape.pool);
    detail::begin_tape(integrate_, layout.groups(), layout.rows(), mode, tape.integrate);
  }

  template <Backend B, class X, class Y>
  void infer(const B& backend, const X& x, Y&& y) const {
    const auto from = view_of(x);
    const auto to = view_of(y);
    const auto layout = check_call(from.shape, to.shape, false);
    if (from.shape.size() == 0) return;
    if constexpr (WholeMapPool<P>)
      if (pool_.uniform())
        return detail::infer_planes(backend, typename P::WholeMap{}, integrate_, gate_, from, to,
                                    [&](const auto& team, const PlaneRun& run, const auto& gates) {
                                      detail::apply(team, run, gates, from, to);
                                    });
    Buffer<double> style(static_cast<std::size_t>(layout.field.size()));
    Buffer<double> excitation(style.size());
    run(
        backend, layout,
        [&](const auto& team, Index c) {
          with_channel(layout, style, c, true, [&](auto t) { pool_.infer(team, c, from, t); });
        },
        [&](Index g) { integrate_.infer(g, layout.slice(style, g), layout.slice(excitation, g)); },
        [&](const auto& team, Index c) { apply(team, layout, excitation, c, from, to); });
  }

  template <Backend B, class X, class Y>
  void forward(const B& backend, const X& x, Y&& y, Tape& tape) {
    run_forward(backend, view_of(x), view_of(y), Mode::train, tape);
  }

  template <Backend B, class X, class Y>
  void forward_frozen(const B& backend, const X& x, Y&& y, Tape& tape) {
    run_forward(backend, view_of(x), view_of(y), Mode::frozen, tape);
  }

  template <Backend B, class X, class DY, class DX>
  void backward(const B& backend, const X& x, const DY& dy, DX&& dx, Tape& tape) {
    const auto from = view_of(x);
    const auto grad = view_of(dy);
    const auto to = view_of(dx);
    check_shape("the tape", tape.shape, from.shape);
    check_shape("dy", grad.shape, from.shape);
    const auto layout = check_call(from.shape, to.shape, false);
    hold_gradients(*this);
    if (from.shape.size() == 0) return;
    if constexpr (WholeMapPool<P>)
      if (pool_.uniform())
        return detail::backward_planes(backend, typename P::WholeMap{}, integrate_, gate_, from, grad, to, tape);
    resize(tape.grad_style, layout.field.size());
    resize(tape.grad_excitation, layout.field.size());
    run(
        backend, layout, [&](const auto& team, Index c) { grad_gates(team, layout, tape, c, from, grad); },
        [&](Index g) {
          integrate_.backward(g, layout.slice(tape.style, g), layout.slice(tape.grad_excitation, g),
                              layout.slice(tape.grad_style, g), tape.integrate);
        },
        [&](const auto& team, Index c) { grad_input(team, layout, tape, c, from, grad, to); });
    detail::add_parameter_gradients(integrate_, layout.groups(), tape.style, tape.grad_excitation, tape.integrate);
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
    v("", self.pool_);
    v("", self.integrate_);
  }

 private:
  using Layout = detail::FieldLayout;

  Layout check_call(const Shape& x, const Shape& y, bool training) const {
    check(x.c == channels_, "the module has ", channels_, " channels, the input has shape ", x);
    check_shape("the output", y, x);
    const Layout layout{x, pool_.field(x), I::mixing};
    if constexpr (requires { pool_.check_training(x); })
      if (training) pool_.check_training(x);
    detail::check_rows(integrate_, channels_, layout.rows(), training);
    return layout;
  }

  /// pool(channel), integrate(group), apply(channel): channel by channel, or in three walks.
  template <class B, class Pool, class Middle, class Apply>
  static void run(const B& backend, const Layout& layout, const Pool& pool, const Middle& middle, const Apply& apply) {
    const Index channels = layout.map.c;
    if (B::fuses_groups && !layout.by_position()) {
      backend.walk(channels, layout.channel_elements(), [&](const auto& team, Index c) {
        pool(team, c);
        middle(c);
        apply(team, c);
      });
      return;
    }
    backend.walk(channels, layout.channel_elements(), pool);
    backend.walk(layout.groups(), layout.rows(), [&](const auto&, Index g) { middle(g); });
    backend.walk(channels, layout.channel_elements(), apply);
  }

  /// Calls f with the numbers of channel c, (N, h, w), and puts them back where they lie if `write`.
  template <class F>
  static void with_channel(const Layout& layout, Buffer<double>& all, Index c, bool write, const F& f) {
    if (!layout.by_position()) return f(layout.slice(all, c));
    const Index positions = layout.field.plane();
    Buffer<double> own(static_cast<std::size_t>(layout.field.n * positions));
    const auto each = [&](const auto& copy) {
      for (Index n = 0; n < layout.field.n; ++n)
        for (Index p = 0; p < positions; ++p) copy(at(own, n * positions + p), at(all, layout.row(n, c, p)));
    };
    if (!write) each([](double& mine, double& shared) { mine = shared; });
    f(std::span<double>(own));
    if (write) each([](double& mine, double& shared) { shared = mine; });
  }

  template <class B, class X, class Y>
  void run_forward(const B& backend, X from, Y to, Mode mode, Tape& tape) {
    const auto layout = check_call(from.shape, to.shape, mode == Mode::train);
    detail::check_not_in_place(from, to);
    begin(from.shape, mode, tape);
    if (from.shape.size() == 0) return;
    if constexpr (WholeMapPool<P>)
      if (pool_.uniform())
        return detail::forward_planes(backend, typename P::WholeMap{}, integrate_, gate_, from, to, tape);
    run(
        backend, layout,
        [&](const auto& team, Index c) {
          with_channel(layout, tape.style, c, true, [&](auto t) { pool_.forward(team, c, from, t, tape.pool); });
        },
        [&](Index g) {
          integrate_.forward(g, layout.slice(tape.style, g), layout.slice(tape.excitation, g), tape.integrate);
        },
        [&](const auto& team, Index c) { apply(team, layout, tape.excitation, c, from, to); });
  }

  template <class Team, class X, class Y>
  void apply(const Team& team, const Layout& layout, const Buffer<double>& excitation, Index c, const X& x,
             const Y& y) const {
    if (layout.field.plane() == 1) {
      Kept<Buffer<Affine>> gates;
      resize(*gates, x.shape.n);
      for (Index n = 0; n < x.shape.n; ++n) at(*gates, n) = open(layout, excitation, n, c, 0);
      return detail::apply(team, x.shape.plane(), x.shape.n, {gates->data(), {0, 1}}, x.samples(c), y.samples(c));
    }
    for (Index n = 0; n < x.shape.n; ++n) {
      const auto gates = spread(layout, excitation, n, c, x.shape);
      team.map(
          x.shape.plane(), y.plane(n, c), [](auto value, auto gate) { return value * gate; }, x.plane(n, c),
          gates.data());
    }
  }

  template <class Team, class X, class DY>
  void grad_gates(const Team& team, const Layout& layout, Tape& tape, Index c, const X& x, const DY& dy) const {
    if (layout.field.plane() == 1) {
      reduce_planes(
          team, Dots{}, x.shape.plane(), x.shape.n,
          [&](Index n, const auto& sums) { pull_gate(layout, tape, n, c, 0, sums.s1()); }, x.samples(c), dy.samples(c));
      return;
    }
    Buffer<double> grad(static_cast<std::size_t>(layout.field.plane()));
    for (Index n = 0; n < x.shape.n; ++n) {
      std::ranges::fill(grad, 0.0);
      detail::for_each_pixel(x.shape, layout.field, [&, from = x.plane(n, c), g = dy.plane(n, c)](Index k, Index p) {
        at(grad, p) += static_cast<double>(g[k]) * static_cast<double>(from[k]);
      });
      for (Index p = 0; p < layout.field.plane(); ++p) pull_gate(layout, tape, n, c, p, at(grad, p));
    }
  }

  void pull_gate(const Layout& layout, Tape& tape, Index n, Index c, Index p, double grad_scale) const {
    const Index row = layout.row(n, c, p);
    gate_.pull(&at(tape.excitation, row), {.scale = grad_scale, .shift = 0}, &at(tape.grad_excitation, row));
  }

  template <class Team, class X, class DY, class DX>
  void grad_input(const Team& team, const Layout& layout, Tape& tape, Index c, const X& x, const DY& dy, const DX& dx) {
    const Index positions = layout.field.plane();
    with_channel(layout, tape.grad_style, c, false, [&](std::span<double> dt) {
      pool_.backward(c, x, dt, tape.pool);
      Buffer<double> add(static_cast<std::size_t>(pool_.uniform() ? 1 : x.shape.plane()));
      for (Index n = 0; n < x.shape.n; ++n) {
        const auto own = dt.subspan(static_cast<std::size_t>(n * positions), static_cast<std::size_t>(positions));
        pool_.pull(c, n, x.shape, own, tape.pool, add);
        if (pool_.uniform()) {
          using A = typename Team::template accumulator<std::remove_cvref_t<decltype(*x.plane(n, c))>>;
          const double scale = open(layout, tape.excitation, n, c, 0).scale;
          team.map(x.shape.plane(), dx.plane(n, c),
                   detail::PullEvenly<A>{static_cast<A>(scale), static_cast<A>(add[0])}, dy.plane(n, c));
        } else {
          const auto gates = spread(layout, tape.excitation, n, c, x.shape);
          team.map(
              x.shape.plane(), dx.plane(n, c), [](auto g, auto gate, auto plus) { return g * gate + plus; },
              dy.plane(n, c), gates.data(), add.data());
        }
      }
    });
  }

  [[nodiscard]] Affine open(const Layout& layout, const Buffer<double>& excitation, Index n, Index c, Index p) const {
    return gate_.open(&at(excitation, layout.row(n, c, p)));
  }

  /// The gates of plane (n, c), one per pixel.
  [[nodiscard]] Buffer<double> spread(const Layout& layout, const Buffer<double>& excitation, Index n, Index c,
                                      const Shape& x) const {
    Buffer<double> small(static_cast<std::size_t>(layout.field.plane()));
    for (Index p = 0; p < layout.field.plane(); ++p) at(small, p) = open(layout, excitation, n, c, p).scale;
    Buffer<double> gates(static_cast<std::size_t>(x.plane()));
    detail::for_each_pixel(x, layout.field, [&](Index k, Index p) { at(gates, k) = at(small, p); });
    return gates;
  }

  Index channels_;
  P pool_;
  I integrate_;
  G gate_;
};

}  // namespace recal
