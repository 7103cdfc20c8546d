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

/// one(group) between loops over its rows. `together` takes the integration, and is called only where it has a way to
/// do all groups at once.
template <class I, class RowsBefore, class One, class Together, class RowsAfter>
[[nodiscard]] auto between(I& integrate, const Groups& groups, const RowsBefore& rows_before, const One& one,
                           const Together& together, const RowsAfter& rows_after) {
  const auto some = [=, rows = groups.rows()](Index first, Index last) {
    rows_before(first * rows, last * rows);
    for (Index g = first; g < last; ++g) one(g);
    rows_after(first * rows, last * rows);
  };
  if constexpr (IntegrateAll<std::remove_const_t<I>>)
    return Between{some,
                   [=, &integrate, rows = groups.planes()](const auto& backend) {
                     walk_pieces(backend, rows, 1, rows_before);
                     together(integrate);
                     walk_pieces(backend, rows, 1, rows_after);
                   },
                   true};
  else
    return Between{some,
                   [some, groups](const auto& backend) { walk_pieces(backend, groups.groups(), groups.rows(), some); }};
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
  return between(
      integrate, groups, no_rows,
      [&](Index g) {
        integrate.infer(g, groups.slice<I::in>(rows.style, g), groups.slice<I::out>(rows.excitation, g));
      },
      [&](const auto& own) { own.infer_all(groups.groups(), rows.style, rows.excitation); }, open_step(gate, rows));
}

/// `tape` is the module's: a RowTape and the integration's own.
template <class I, class G, class Tape>
[[nodiscard]] auto forward_step(I& integrate, const G& gate, const Groups& groups, Tape& tape) {
  return between(
      integrate, groups, no_rows,
      [&](Index g) {
        integrate.forward(g, groups.slice<I::in>(tape.style, g), groups.slice<I::out>(tape.excitation, g),
                          tape.integrate);
      },
      [&](auto& own) { own.forward_all(groups.groups(), tape.style, tape.excitation, tape.integrate); },
      open_step(gate, tape));
}

/// From the gradients of the gates to what is pulled from every plane.
template <class P, class I, class G, class Tape>
[[nodiscard]] auto backward_step(const P& pool, I& integrate, const G& gate, const Groups& groups, Tape& tape) {
  return between(
      integrate, groups,
      [&](Index first, Index last) {
        pull_rows(gate, last - first, tape.excitation.data() + first * G::width, tape.grad_gate.data() + first,
                  tape.grad_excitation.data() + first * G::width);
      },
      [&](Index g) {
        integrate.backward(g, groups.slice<I::in>(tape.style, g), groups.slice<I::out>(tape.grad_excitation, g),
                           groups.slice<I::in>(tape.grad_style, g), tape.integrate);
      },
      [&](auto& own) {
        own.backward_all(groups.groups(), tape.style, tape.grad_excitation, tape.grad_style, tape.integrate);
      },
      [&, count = groups.shape.plane()](Index first, Index last) {
        for (Index row = first; row < last; ++row)
          at(tape.pull, row) =
              pool.pull(tape.style.data() + row * P::width, tape.grad_style.data() + row * P::width, count);
      });
}

}  // namespace detail

}  // namespace recal
