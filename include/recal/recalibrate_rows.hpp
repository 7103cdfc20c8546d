// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include <recal/core/buffer.hpp>
#include <recal/gate/gate.hpp>
#include <recal/integrate/integrate.hpp>
#include <recal/pool/style_pool.hpp>
#include <recal/recalibrate_planes.hpp>

/// What happens to the numbers of the rows between two passes over planes: integration, and loops over rows before and
/// after it, in which divisions and exponentials of neighbouring rows overlap.
namespace recal {

/// The numbers of each plane between the passes of inference, group by group.
struct InferRows {
  Buffer<double> style;       // t: (groups, rows, in)
  Buffer<double> excitation;  // z: (groups, rows, out)
  Buffer<Affine> gate;        // (groups, rows)

  void resize(Index rows, Index in, Index out) {
    recal::resize(style, rows * in);
    recal::resize(excitation, rows * out);
    recal::resize(gate, rows);
  }
};

/// The numbers of each plane that a module keeps from its forward pass for backward, group by group.
struct RowTape : InferRows {
  Shape shape;
  Buffer<double> grad_style;
  Buffer<double> grad_excitation;
  Buffer<Affine> grad_gate;
  Buffer<Pull> pull;

  void resize(Index rows, Index in, Index out) {
    InferRows::resize(rows, in, out);
    recal::resize(grad_style, rows * in);
    recal::resize(grad_excitation, rows * out);
    recal::resize(grad_gate, rows);
    recal::resize(pull, rows);
  }
};

namespace detail {

/// Rows that are worked on at once where they are shared out by themselves.
inline constexpr Index rows_per_piece = 512;

/// f(first, last) on pieces of `count` items of `rows` rows each.
template <class B, class F>
void walk_pieces(const B& backend, Index count, Index rows, const F& f) {
  const Index piece = std::max<Index>(1, rows_per_piece / std::max<Index>(1, rows));
  backend.walk((count + piece - 1) / piece, piece * rows,
               [&](const typename B::Team&, Index i) { f(i * piece, std::min(count, (i + 1) * piece)); });
}

/// The groups of x as the integration I wants them.
template <class I>
[[nodiscard]] Groups groups_of(const Shape& x) {
  return {x, I::mixing, Planewise<I>};
}

/// integrate_groups(first, last) between loops over the rows of the groups: one group a call, but several or all where
/// the integration I has a way to do them together or does not care for groups.
template <class I, class RowsBefore, class IntegrateRows, class RowsAfter>
[[nodiscard]] auto between(const Groups& groups, const RowsBefore& rows_before, const IntegrateRows& integrate_groups,
                           const RowsAfter& rows_after) {
  constexpr bool together = IntegrateGroups<I>;
  const auto some = [=, rows = groups.rows()](Index first, Index last) {
    rows_before(first * rows, last * rows);
    const Index step = together || Planewise<I> ? last - first : 1;
    for (Index g = first; g < last; g += step) integrate_groups(g, g + step);
    rows_after(first * rows, last * rows);
  };
  const auto all = [=](const auto& backend) {
    if constexpr (together) {
      walk_pieces(backend, groups.planes(), 1, rows_before);
      integrate_groups(Index{0}, groups.groups());
      walk_pieces(backend, groups.planes(), 1, rows_after);
    } else {
      walk_pieces(backend, groups.groups(), groups.rows(), some);
    }
  };
  return Between{some, all, together};
}

inline constexpr auto no_rows = [](Index, Index) {};

/// gates = open(z) for rows [first, last).
template <class G>
[[nodiscard]] auto open_step(const G& gate, InferRows& rows) {
  return [&gate, &rows](Index first, Index last) {
    open_rows(gate, last - first, rows.excitation.data() + first * G::width, rows.gate.data() + first);
  };
}

template <class I, class G>
[[nodiscard]] auto infer_step(const I& integrate, const G& gate, const Groups& groups, InferRows& rows) {
  return between<I>(
      groups, no_rows,
      [&](Index first, Index last) {
        const auto t = groups.slice<I::in>(rows.style, first, last);
        const auto z = groups.slice<I::out>(rows.excitation, first, last);
        if constexpr (IntegrateGroups<I>)
          integrate.infer_groups(first, last - first, t, z);
        else
          integrate.infer(first, t, z);
      },
      open_step(gate, rows));
}

/// `tape` is the module's: a RowTape and the integration's own.
template <class I, class G, class Tape>
[[nodiscard]] auto forward_step(I& integrate, const G& gate, const Groups& groups, Tape& tape) {
  return between<I>(
      groups, no_rows,
      [&](Index first, Index last) {
        const auto t = groups.slice<I::in>(tape.style, first, last);
        const auto z = groups.slice<I::out>(tape.excitation, first, last);
        if constexpr (IntegrateGroups<I>)
          integrate.forward_groups(first, last - first, t, z, tape.integrate);
        else
          integrate.forward(first, t, z, tape.integrate);
      },
      open_step(gate, tape));
}

/// From the gradients of the gates to what is pulled from every plane.
template <class P, class I, class G, class Tape>
[[nodiscard]] auto backward_step(const P& pool, I& integrate, const G& gate, const Groups& groups, Tape& tape) {
  return between<I>(
      groups,
      [&](Index first, Index last) {
        pull_rows(gate, last - first, tape.excitation.data() + first * G::width, tape.grad_gate.data() + first,
                  tape.grad_excitation.data() + first * G::width);
      },
      [&](Index first, Index last) {
        const auto t = groups.slice<I::in>(tape.style, first, last);
        const auto dz = groups.slice<I::out>(tape.grad_excitation, first, last);
        const auto dt = groups.slice<I::in>(tape.grad_style, first, last);
        if constexpr (IntegrateGroups<I>)
          integrate.backward_groups(first, last - first, t, dz, dt, tape.integrate);
        else
          integrate.backward(first, t, dz, dt, tape.integrate);
      },
      [&, count = groups.shape.plane()](Index first, Index last) {
        for (Index row = first; row < last; ++row)
          at(tape.pull, row) =
              pool.pull(tape.style.data() + row * P::width, tape.grad_style.data() + row * P::width, count);
      });
}

}  // namespace detail

}  // namespace recal
