// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/backend.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>
#include <recal/recalibrate_planes.hpp>
#include <recal/recalibrate_rows.hpp>

/// The passes of a module with a style pool, or with a field pool that leaves one number per plane.
namespace recal::detail {

/// The gates of a run's planes.
[[nodiscard]] inline auto gates_of(const Groups& groups, const PlaneRun& run, const InferRows& rows) {
  return [own = groups.rows_of(run), gates = rows.gate.data()](Index i) -> const Affine& { return gates[own[i]]; };
}

/// y = gate_of(i) of the i-th plane of a run of x.
template <class Team, class GateOf, class X, class Y>
void apply(const Team& team, const PlaneRun& run, const GateOf& gate_of, const X& x, const Y& y) {
  apply(team, x.shape.plane(), run.size(), gate_of, x.planes(run.n, run.first), y.planes(run.n, run.first));
}

/// use(team, run, gate_of) on runs that cover all planes of x, with gate_of(i) the gate of a run's i-th plane, after a
/// pass over x.
template <class B, class P, class I, class G, class X, class Use>
void infer_planes(const B& backend, const P& pool, const I& integrate, const G& gate, const X& x, const Use& use) {
  const Groups groups = groups_of<I>(x.shape);
  Kept<InferRows> kept;
  InferRows& rows = *kept;
  rows.resize(groups.planes(), P::width, I::out);
  run(
      backend, groups,
      [&](const auto& team, const PlaneRun& run) { detail::pool(team, pool, x, groups, run, rows.style.data()); },
      infer_step(integrate, gate, groups, rows),
      [&](const auto& team, const PlaneRun& run) { use(team, run, gates_of(groups, run, rows)); });
}

/// requires: a tape that was begun
template <class B, class P, class I, class G, class X, class Y, class Tape>
void forward_planes(const B& backend, const P& pool, I& integrate, const G& gate, const X& x, const Y& y, Tape& tape) {
  const Groups groups = groups_of<I>(x.shape);
  run(
      backend, groups,
      [&](const auto& team, const PlaneRun& run) { detail::pool(team, pool, x, groups, run, tape.style.data()); },
      forward_step(integrate, gate, groups, tape),
      [&](const auto& team, const PlaneRun& run) { apply(team, run, gates_of(groups, run, tape), x, y); });
}

/// requires: `tape` was filled by forward_planes on the same x
template <class B, class P, class I, class G, class X, class DY, class DX, class Tape>
void backward_planes(const B& backend, const P& pool, I& integrate, const G& gate, const X& x, const DY& dy,
                     const DX& dx, Tape& tape) {
  const Groups groups = groups_of<I>(x.shape);
  run(
      backend, groups,
      [&](const auto& team, const PlaneRun& run) { dots(team, x, dy, groups, run, tape.grad_gate.data()); },
      backward_step(pool, integrate, gate, groups, tape),
      [&](const auto& team, const PlaneRun& run) {
        const RunRows rows = groups.rows_of(run);
        pull(
            team, x.shape.plane(), run.size(), [&](Index i) { return at(tape.gate, rows[i]).scale; },
            [&](Index i) -> const Pull& { return at(tape.pull, rows[i]); }, x.planes(run.n, run.first),
            dy.planes(run.n, run.first), dx.planes(run.n, run.first));
      });
  add_parameter_gradients(integrate, groups.groups(), tape.style, tape.grad_excitation, tape.integrate);
}

}  // namespace recal::detail
