// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/integrate/integrate.hpp>
#include <recal/backend/cuda/plane_team.hpp>
#include <recal/backend/cuda/selector.hpp>
#include <recal/core/dots.hpp>
#include <recal/gate/gate.hpp>
#include <recal/groups.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal::cuda {

/// The numbers that passes over planes leave for, and take from, the arithmetic in between: one state for each stretch
/// of each plane in, a few coefficients out. Rows are those of recal::Groups.
template <class Reducer>
struct States {
  double* numbers = nullptr;  // (rows, parts, state_size)
  Index parts = 1;

  template <class Lanes>
  RECAL_HOST_DEVICE void put(const Lanes& lanes, Index row, Index part,
                             const detail::StateOf<Reducer, double>& s) const {
    const auto m = detail::members<Reducer, double>(s);
    for (int i = 0; i < detail::state_size<Reducer>; ++i) lanes.store(place(row, part) + i, m.value[i]);
  }

  /// The parts of a plane merged, in order.
  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE detail::StateOf<Reducer, double> get(const Lanes& lanes, Index row) const {
    auto total = get_part(lanes, row, 0);
    for (Index part = 1; part < parts; ++part) Reducer::merge(total, get_part(lanes, row, part));
    return total;
  }

  [[nodiscard]] static Index size(Index rows, Index parts) { return rows * parts * detail::state_size<Reducer>; }

 private:
  [[nodiscard]] RECAL_HOST_DEVICE double* place(Index row, Index part) const {
    return numbers + (row * parts + part) * detail::state_size<Reducer>;
  }

  template <class Lanes>
  [[nodiscard]] RECAL_HOST_DEVICE detail::StateOf<Reducer, double> get_part(const Lanes& lanes, Index row,
                                                                            Index part) const {
    detail::Members<Reducer, double> m;
    for (int i = 0; i < detail::state_size<Reducer>; ++i) m.value[i] = lanes.load(place(row, part) + i);
    return detail::state_of<Reducer, double>(m);
  }
};

/// y = scale*x + shift, and dx = scale*dy + p + q*(x - centre) with a pick at an element: what a plane is told.
using ApplyNumbers = Vector<float, 2>;
struct PullNumbers {
  Vector<float, 4> affine;  // scale, p, q, centre
  Vector<float, 4> pick;    // pick, picked; 0, 0
};

/// The arithmetic between the two passes forward: styles, integration, gates of one group. A row is a thread's.
template <class P, class G, class V>
struct ForwardRows {
  P pool;
  G gate;
  V integrate;
  Index rows;      // of a group
  Index elements;  // of a plane
  States<P> states;
  double* style;
  double* excitation;
  ApplyNumbers* gates;

  template <class Lanes>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index group) const {
    constexpr Index out = G::width;
    const Index first = group * rows;
    for (Index r = first + lanes.lane(); r < first + rows; r += lanes.lanes()) {
      double t[P::width];
      pool.finish(states.get(lanes, r), elements, t);
      for (Index d = 0; d < P::width; ++d) lanes.store(style + r * P::width + d, t[d]);
    }
    lanes.sync();
    integrate.forward(lanes, group, rows, static_cast<const double*>(style + first * P::width),
                      excitation + first * out);
    lanes.sync();
    for (Index r = first + lanes.lane(); r < first + rows; r += lanes.lanes()) {
      double z[out];
      for (Index d = 0; d < out; ++d) z[d] = lanes.load(excitation + r * out + d);
      const Affine map = gate.open(z);
      lanes.store(gates + r, ApplyNumbers{{static_cast<float>(map.scale), static_cast<float>(map.shift)}});
    }
  }
};

/// The arithmetic between the two passes backward.
template <class P, class G, class V>
struct BackwardRows {
  P pool;
  G gate;
  V integrate;
  Index rows;
  Index elements;
  States<Dots> states;
  const double* style;
  const double* excitation;
  double* grad_style;
  double* grad_excitation;
  PullNumbers* pulls;

  template <class Lanes>
  RECAL_HOST_DEVICE void operator()(const Lanes& lanes, Index group) const {
    constexpr Index out = G::width;
    const Index first = group * rows;
    for (Index r = first + lanes.lane(); r < first + rows; r += lanes.lanes()) {
      const auto sums = states.get(lanes, r);
      double z[out];
      double dz[out];
      for (Index d = 0; d < out; ++d) z[d] = lanes.load(excitation + r * out + d);
      gate.pull(z, Affine{sums.s1(), sums.s0()}, dz);
      for (Index d = 0; d < out; ++d) lanes.store(grad_excitation + r * out + d, dz[d]);
    }
    lanes.sync();
    integrate.backward(lanes, group, rows, style + first * P::width,
                       static_cast<const double*>(grad_excitation + first * out), grad_style + first * P::width);
    lanes.sync();
    for (Index r = first + lanes.lane(); r < first + rows; r += lanes.lanes()) pull_row(lanes, r);
  }

 private:
  template <class Lanes>
  RECAL_HOST_DEVICE void pull_row(const Lanes& lanes, Index r) const {
    double t[P::width];
    double dt[P::width];
    double z[G::width];
    for (Index d = 0; d < P::width; ++d) t[d] = lanes.load(style + r * P::width + d);
    for (Index d = 0; d < P::width; ++d) dt[d] = lanes.load(grad_style + r * P::width + d);
    for (Index d = 0; d < G::width; ++d) z[d] = lanes.load(excitation + r * G::width + d);
    const Pull pull = pool.pull(t, dt, elements);
    const auto number = [](double value) { return static_cast<float>(value); };
    lanes.store(&pulls[r].affine,
                Vector<float, 4>{{number(gate.open(z).scale), number(pull.p), number(pull.q), number(pull.centre)}});
    lanes.store(&pulls[r].pick, Vector<float, 4>{{number(pull.pick), number(pull.picked), 0.0F, 0.0F}});
  }
};

/// All groups of a tensor, a block each.
template <class Rows>
struct RowsKernel {
  Rows rows;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    rows(BlockLanes<Context>{ctx}, ctx.block());
  }
};

/// Rows of `groups` groups, a block each: a warp where rows are few, as the samples of a channel mostly are.
template <Machine M, class Rows>
void launch_rows(const M& machine, Index groups, Index rows_of_group, const Rows& rows) {
  const int threads = rows_of_group <= warp_lanes ? warp_lanes : plane_threads;
  machine.launch({groups, threads, BlockLanes<int>::shared_bytes}, RowsKernel<Rows>{rows});
}

/// Gradients of the parameters of an integration that mixes channels.
template <class V>
struct GradientsKernel {
  V integrate;
  Index groups;
  Index rows;
  const double* style;
  const double* grad_excitation;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    integrate.gradients(BlockLanes<Context>{ctx}, ctx.block(), ctx.blocks(), groups, rows, style, grad_excitation);
  }
};

}  // namespace recal::cuda
