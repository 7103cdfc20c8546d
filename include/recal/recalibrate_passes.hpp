// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/backend.hpp>
#include <recal/core/buffer.hpp>
#include <recal/recalibrate_planes.hpp>
#include <recal/recalibrate_rows.hpp>

/// The passes of a module with a style pool, or with a field pool that leaves one number per plane.
namespace recal::detail {

/// The gates of a run's planes.
[[nodiscard]] inline GatesOfPlanes gates_of(const Groups& groups, const PlaneRun& run, const GateRows& rows) {
  return {rows.gate.data(), groups.rows_of(run).from(rows.begin)};
}

/// y = gate of x on the planes of a run.
template <class Team, class X, class Y>
void apply(const Team& team, const PlaneRun& run, const GatesOfPlanes& gates, const X& x, const Y& y) {
  apply(team, x.shape.plane(), run.size(), gates, x.planes(run.n, run.first), y.planes(run.n, run.first));
}

/// The first pass of a forward walk, whose second one writes y: styles into their rows.
template <class P, class X, class Y>
[[nodiscard]] auto pool_pass(const P& pool, const X& x, const Y& y, const Groups& groups) {
  return [&pool, &x, &y, groups](const auto& team, const PlaneRun& run, GateRows& rows) {
    detail::pool(team, pool, x, run, groups.rows_of(run).from(rows.begin), rows.style.data(),
                 written_next(groups, run, y));
  };
}

/// use(team, run, gates of its planes), which writes y, on runs that cover all planes of x, after a pass over x.
template <class B, class P, class I, class G, class X, class Y, class Use>
void infer_planes(const B& backend, const P& pool, const I& integrate, const G& gate, const X& x, const Y& y,
                  const Use& use) {
  const Groups groups = groups_of<I>(x.shape).asking_early();
  run(
      backend, groups, [](Index first, Index last) { return OwnRows<GateRows>(first, last, P::width, I::out); },
      pool_pass(pool, x, y, groups), infer_step(integrate, gate, groups),
      [&](const auto& team, const PlaneRun& run, GateRows& rows) {
        read_after(team, groups, run, x);
        use(team, run, gates_of(groups, run, rows));
      });
}

/// requires: a tape that was begun
template <class B, class P, class I, class G, class X, class Y, class Tape>
void forward_planes(const B& backend, const P& pool, I& integrate, const G& gate, const X& x, const Y& y, Tape& tape) {
  const Groups groups = groups_of<I>(x.shape).asking_early();
  run(
      backend, groups, [&tape](Index, Index) { return &tape; }, pool_pass(pool, x, y, groups),
      forward_step(integrate, gate, groups),
      [&](const auto& team, const PlaneRun& run, GateRows& rows) {
        read_after(team, groups, run, x);
        apply(team, run, gates_of(groups, run, rows), x, y);
      });
}

/// requires: `tape` was filled by forward_planes on the same x
template <class B, class P, class I, class G, class X, class DY, class DX, class Tape>
void backward_planes(const B& backend, const P& pool, I& integrate, const G& gate, const X& x, const DY& dy,
                     const DX& dx, Tape& tape) {
  const Groups groups = groups_of<I>(x.shape);
  with_pull_rows<PullRows, P>(integrate, groups, tape, [&](const auto& rows_of) {
    run(
        backend, groups, rows_of,
        [&](const auto& team, const PlaneRun& run, PullRows& rows) {
          dots(team, x, dy, run, groups.rows_of(run).from(rows.begin), rows.grad_gate.data());
        },
        backward_step(integrate, gate, groups, tape),
        [&](const auto& team, const PlaneRun& run, const PullRows& rows) {
          pull(team, x.shape.plane(), run.size(), groups.rows_of(run), PulledRows<P>{pool, x.shape.plane(), tape, rows},
               x.planes(run.n, run.first), dy.planes(run.n, run.first), dx.planes(run.n, run.first));
        });
  });
}

}  // namespace recal::detail
