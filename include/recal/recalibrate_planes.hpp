// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <type_traits>

#include <recal/core/buffer.hpp>
#include <recal/core/dots.hpp>
#include <recal/core/host_device.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>
#include <recal/gate/gate.hpp>
#include <recal/integrate/integrate.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal {

/// One plane of a tensor and the row of its numbers.
struct Plane {
  Index n;
  Index c;
  Index row;
};

/// The planes of a tensor in groups, as an integration wants them: by sample if it mixes channels,
/// else by channel. Numbers per plane are stored group by group, row by row.
struct Groups {
  Shape shape;
  Mixing mixing;

  [[nodiscard]] RECAL_HOST_DEVICE Index groups() const { return mixing == Mixing::channels ? shape.n : shape.c; }
  [[nodiscard]] RECAL_HOST_DEVICE Index rows() const { return mixing == Mixing::channels ? shape.c : shape.n; }
  [[nodiscard]] RECAL_HOST_DEVICE Index planes() const { return shape.n * shape.c; }

  /// Where plane (n, c) stands among all rows.
  [[nodiscard]] RECAL_HOST_DEVICE Index row(Index n, Index c) const {
    return mixing == Mixing::channels ? n * shape.c + c : c * shape.n + n;
  }

  [[nodiscard]] RECAL_HOST_DEVICE Plane plane(Index group, Index row) const {
    const Index index = group * rows() + row;
    return mixing == Mixing::channels ? Plane{group, row, index} : Plane{row, group, index};
  }

  /// The rows of one group, `width` numbers each.
  template <Index width>
  [[nodiscard]] std::span<double> slice(Buffer<double>& all, Index group) const {
    const auto count = static_cast<std::size_t>(rows() * width);
    return {all.data() + static_cast<std::size_t>(group) * count, count};
  }
};

namespace detail {

/// The step of an integration between the two passes: on one group, or on all of them.
template <class One, class All>
struct Between {
  One one;
  All all;
};
template <class One, class All>
Between(One, All) -> Between<One, All>;

/// `together` takes the integration, and is called only where it has a way to do all groups at once.
template <class I, class One, class Together>
[[nodiscard]] auto between(I& integrate, const Groups& groups, const One& one, const Together& together) {
  if constexpr (IntegrateAll<std::remove_const_t<I>>)
    return Between{one, [&integrate, together](const auto&) { together(integrate); }};
  else
    return Between{one, [&groups, one](const auto& backend) {
                     backend.walk(groups.groups(), groups.rows(), [&one](const auto&, Index g) { one(g); });
                   }};
}

template <class I>
[[nodiscard]] auto infer_step(const I& integrate, const Groups& groups, Buffer<double>& t, Buffer<double>& z) {
  return between(
      integrate, groups, [&](Index g) { integrate.infer(g, groups.slice<I::in>(t, g), groups.slice<I::out>(z, g)); },
      [&](const auto& own) { own.infer_all(groups.groups(), t, z); });
}

template <class I>
[[nodiscard]] auto forward_step(I& integrate, const Groups& groups, Buffer<double>& t, Buffer<double>& z,
                                typename I::Tape& tape) {
  return between(
      integrate, groups,
      [&](Index g) { integrate.forward(g, groups.slice<I::in>(t, g), groups.slice<I::out>(z, g), tape); },
      [&](auto& own) { own.forward_all(groups.groups(), t, z, tape); });
}

/// `tape` is the module's: style, grad_style, grad_excitation and the integration's own.
template <class I, class Tape>
[[nodiscard]] auto backward_step(I& integrate, const Groups& groups, Tape& tape) {
  return between(
      integrate, groups,
      [&](Index g) {
        integrate.backward(g, groups.slice<I::in>(tape.style, g), groups.slice<I::out>(tape.grad_excitation, g),
                           groups.slice<I::in>(tape.grad_style, g), tape.integrate);
      },
      [&](auto& own) {
        own.backward_all(groups.groups(), tape.style, tape.grad_excitation, tape.grad_style, tape.integrate);
      });
}

/// Groups from which on they alone keep every core busy.
inline constexpr Index enough_groups = 8;

/// Elements of a tensor that the last cache holds, so that nothing is gained by going through it group by group.
inline constexpr Index small_tensor = Index{1} << 22U;

/// Runs before(plane) on every plane of a group, between(group), after(plane): group by group, so
/// that the second pass finds the planes in cache, or phase by phase over the whole tensor where
/// the backend does not gain from that, groups are too few to share out, or samples of a small tensor
/// are better integrated together. The results are the same.
template <class B, class Before, class One, class All, class After>
void run(const B& backend, const Groups& groups, const Before& before, const Between<One, All>& between,
         const After& after) {
  const Index rows = groups.rows();
  const bool together = groups.mixing == Mixing::channels && groups.shape.size() <= small_tensor;
  if (B::fuses_groups && groups.groups() >= enough_groups && !together) {
    backend.walk(groups.groups(), rows * groups.shape.plane(), [&](const auto& team, Index g) {
      for (Index r = 0; r < rows; ++r) before(team, groups.plane(g, r));
      between.one(g);
      for (Index r = 0; r < rows; ++r) after(team, groups.plane(g, r));
    });
    return;
  }
  const auto on_planes = [&](const auto& f) {
    backend.walk(groups.planes(), groups.shape.plane(),
                 [&](const auto& team, Index i) { f(team, groups.plane(i / rows, i % rows)); });
  };
  on_planes(before);
  between.all(backend);
  on_planes(after);
}

/// Throws where a forward pass for training would write over its input.
template <class X, class Y>
void check_not_in_place(const X& x, const Y& y) {
  check(static_cast<const void*>(x.data) != static_cast<const void*>(y.data) || x.shape.size() == 0,
        "a forward pass for training cannot work in place: backward needs the input of shape ", x.shape);
}

/// t = pool(plane), into the plane's row.
template <class Team, class P, class X>
void pool(const Team& team, const P& pool, const X& x, Plane at, double* style) {
  const Index count = x.shape.plane();
  pool.finish(team.reduce(pool, count, x.plane(at.n, at.c)), count, style + at.row * P::width);
}

/// y = scale*x + shift on a plane.
template <class Team, class X, class Y>
void apply(const Team& team, const Affine& gate, const X& x, const Y& y, Plane at) {
  using A = typename Team::template accumulator<std::remove_const_t<std::remove_pointer_t<decltype(x.data)>>>;
  const auto scale = static_cast<A>(gate.scale);
  const auto shift = static_cast<A>(gate.shift);
  const auto* from = x.plane(at.n, at.c);
  auto* to = y.plane(at.n, at.c);
  if (gate.shift == 0)
    team.map(
        x.shape.plane(), to, [scale](auto value) { return value * scale; }, from);
  else
    team.map(
        x.shape.plane(), to, [scale, shift](auto value) { return value * scale + shift; }, from);
}

/// (dL/dscale, dL/dshift) of a plane's gate.
template <class Team, class X, class DY>
Affine dots(const Team& team, const X& x, const DY& dy, Plane at) {
  const auto sums = team.reduce(Dots{}, x.shape.plane(), x.plane(at.n, at.c), dy.plane(at.n, at.c));
  return {.scale = sums.s1(), .shift = sums.s0()};
}

/// The first of `count` elements that equals `value`; `count` where none does.
template <class T>
[[nodiscard]] Index find_element(const T* plane, Index count, double value) {
  Index k = 0;
  while (k < count && static_cast<double>(plane[k]) != value) ++k;
  return k;
}

template <class T>
void add_to(T* element, double value) {
  store(element, static_cast<accumulator_t<T>>(static_cast<double>(*element) + value));
}

/// dx = scale*dy + p + q*(x - centre) on a plane, and the pick at its element.
template <class Team, class X, class DY, class DX>
void pull(const Team& team, double gate_scale, const Pull& pull, const X& x, const DY& dy, const DX& dx, Plane at) {
  using A = typename Team::template accumulator<std::remove_const_t<std::remove_pointer_t<decltype(x.data)>>>;
  const Index count = x.shape.plane();
  const auto* from = x.plane(at.n, at.c);
  const auto* grad = dy.plane(at.n, at.c);
  auto* to = dx.plane(at.n, at.c);

  // Looked up before dx is written, which may be x.
  const Index picked = pull.pick != 0 ? find_element(from, count, pull.picked) : count;
  const auto scale = static_cast<A>(gate_scale);
  const auto p = static_cast<A>(pull.p);
  const auto q = static_cast<A>(pull.q);
  const auto centre = static_cast<A>(pull.centre);
  if (pull.q == 0)
    team.map(
        count, to, [scale, p](auto g) { return g * scale + p; }, grad);
  else
    team.map(
        count, to, [=](auto g, auto value) { return g * scale + ((value - centre) * q + p); }, grad, from);
  if (picked < count) add_to(to + picked, pull.pick);
}

}  // namespace detail

}  // namespace recal
