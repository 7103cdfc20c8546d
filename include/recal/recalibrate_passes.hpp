// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/backend.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/kept.hpp>
#include <recal/recalibrate_planes.hpp>
#include <recal/recalibrate_rows.hpp>

/// The passes of a module with a style pool, or with a field pool that leaves one number per plane.
namespace recal::detail {

/// use(team, gate, plane) with the gate of every plane of x, after a pass over x.
template <class B, class P, class I, class G, class X, class Use>
void infer_planes(const B& backend, const P& pool, const I& integrate, const G& gate, const X& x, const Use& use) {
  const Groups groups{x.shape, I::mixing};
  Kept<InferRows> kept;
  InferRows& rows = *kept;
  rows.resize(groups.planes(), P::width, I::out);
  run(
      backend, groups,
      [&](const auto& team, const PlaneRun& run) { detail::pool(team, pool, x, groups, run, rows.style.data()); },
      infer_step(integrate, gate, groups, rows),
      [&](const auto& team, const PlaneRun& run) {
        for_each_plane(groups, run, [&](Plane plane) { use(team, at(rows.gate, plane.row), plane); });
      });
}

/// requires: a tape that was begun
template <class B, class P, class I, class G, class X, class Y, class Tape>
void forward_planes(const B& backend, const P& pool, I& integrate, const G& gate, const X& x, const Y& y, Tape& tape) {
  const Groups groups{x.shape, I::mixing};
  run(
      backend, groups,
      [&](const auto& team, const PlaneRun& run) { detail::pool(team, pool, x, groups, run, tape.style.data()); },
      forward_step(integrate, gate, groups, tape),
      [&](const auto& team, const PlaneRun& run) {
        for_each_plane(groups, run, [&](Plane plane) { apply(team, at(tape.gate, plane.row), x, y, plane); });
      });
}

/// requires: `tape` was filled by forward_planes on the same x
template <class B, class P, class I, class G, class X, class DY, class DX, class Tape>
void backward_planes(const B& backend, const P& pool, I& integrate, const G& gate, const X& x, const DY& dy,
                     const DX& dx, Tape& tape) {
  const Groups groups{x.shape, I::mixing};
  run(
      backend, groups,
      [&](const auto& team, const PlaneRun& run) { dots(team, x, dy, groups, run, tape.grad_gate.data()); },
      backward_step(pool, integrate, gate, groups, tape),
      [&](const auto& team, const PlaneRun& run) {
        for_each_plane(groups, run, [&](Plane plane) {
          pull(team, at(tape.gate, plane.row).scale, at(tape.pull, plane.row), x, dy, dx, plane);
        });
      });
  add_parameter_gradients(integrate, groups.groups(), tape.style, tape.grad_excitation, tape.integrate);
}

}  // namespace recal::detail
