// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include <recal/backend/channel_block.hpp>
#include <recal/core/buffer.hpp>
#include <recal/core/interleaved.hpp>
#include <recal/core/kept.hpp>
#include <recal/gate/gate.hpp>
#include <recal/integrate/integrate.hpp>
#include <recal/pool/style_pool.hpp>
#include <recal/recalibrate_planes.hpp>
#include <recal/row_lanes.hpp>

/// What happens to the numbers of the rows between two passes over planes: integration, and loops over rows before and
/// after it, in which divisions and exponentials of neighbouring rows overlap.
namespace recal {

/// The numbers of the rows from `begin` on that a forward pass makes, group by group.
struct GateRows {
  Index begin = 0;
  Buffer<double> style;       // t: (groups, rows, in)
  Buffer<double> excitation;  // z: (groups, rows, out)
  Buffer<Affine> gate;        // (groups, rows)

  /// Makes room for the rows [first, last).
  void cover(Index first, Index last, Index in, Index out) {
    begin = first;
    resize(style, (last - first) * in);
    resize(excitation, (last - first) * out);
    resize(gate, last - first);
  }
};

/// Those that a module keeps for backward, of all rows.
struct RowTape : GateRows {
  Shape shape;
};

/// The numbers of the rows from `begin` on that live within a backward pass.
struct PullRows {
  Index begin = 0;
  Buffer<double> grad_style;
  Buffer<double> grad_excitation;
  Buffer<Affine> grad_gate;

  void cover(Index first, Index last, Index in, Index out) {
    begin = first;
    resize(grad_style, (last - first) * in);
    resize(grad_excitation, (last - first) * out);
    resize(grad_gate, last - first);
  }
};

/// Numbers of the rows [first, last) for as long as this lives, in memory that the thread keeps: what one thread makes
/// of some rows and uses up again stays in its cache.
template <class Rows>
class OwnRows {
 public:
  OwnRows(Index first, Index last, Index in, Index out) { rows_->cover(first, last, in, out); }
  [[nodiscard]] Rows& operator*() { return *rows_; }

 private:
  Kept<Rows> rows_;
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

/// The groups of x as the integration I wants them, channels as channels even where planes are groups.
template <class I>
[[nodiscard]] Groups channels_of(const Shape& x) {
  return {.shape = x, .mixing = I::mixing, .block = IntegrateBlocks<I> || Planewise<I> ? ChannelBlock::width(x) : 1};
}

/// The groups of x as the integration I wants them.
template <class I>
[[nodiscard]] Groups groups_of(const Shape& x) {
  Groups groups = channels_of<I>(x);
  groups.planewise = Planewise<I>;
  return groups;
}

/// Groups that the integration I is called with together, of the many that there are.
template <class I>
[[nodiscard]] Index groups_at_once(const Groups& groups, Index many) {
  if (IntegrateGroups<I> || Planewise<I>) return many;
  return groups.block;
}

/// integrate_groups(first, last) between loops over the rows of the groups: one group a call, but several or all where
/// the integration I has a way to do them together or does not care for groups, and a block of channels where it takes
/// them.
template <class I, class RowsBefore, class IntegrateRows, class RowsAfter>
[[nodiscard]] auto between(const Groups& groups, const RowsBefore& rows_before, const IntegrateRows& integrate_groups,
                           const RowsAfter& rows_after) {
  constexpr bool together = IntegrateGroups<I>;
  const auto some = [=](Index first, Index last, auto& rows) {
    const Index height = groups.rows();
    rows_before(first * height, last * height, rows);
    const Index step = groups_at_once<I>(groups, last - first);
    for (Index g = first; g < last; g += step) integrate_groups(g, std::min(last, g + step), rows);
    rows_after(first * height, last * height, rows);
  };
  const auto all = [=](const auto& backend, auto& rows) {
    const auto with_rows = [&rows](const auto& f) {
      return [&rows, &f](Index first, Index last) { f(first, last, rows); };
    };
    if constexpr (together) {
      walk_pieces(backend, groups.planes(), 1, with_rows(rows_before));
      integrate_groups(Index{0}, groups.groups(), rows);
      walk_pieces(backend, groups.planes(), 1, with_rows(rows_after));
    } else {
      const Index block = groups.block;
      walk_pieces(backend, (groups.groups() + block - 1) / block, block * groups.rows(),
                  [&](Index first, Index last) { some(first * block, std::min(groups.groups(), last * block), rows); });
    }
  };
  return Between{some, all, together};
}

inline constexpr auto no_rows = [](Index, Index, const auto&) {};

/// gates = open(z) for rows [first, last).
template <class G>
[[nodiscard]] auto open_step(const G& gate) {
  return [&gate](Index first, Index last, GateRows& rows) {
    open_rows(gate, last - first, rows.excitation.data() + (first - rows.begin) * G::width,
              rows.gate.data() + (first - rows.begin));
  };
}

template <class I, class G>
[[nodiscard]] auto infer_step(const I& integrate, const G& gate, const Groups& groups) {
  return between<I>(
      groups, no_rows,
      [&integrate, groups](Index first, Index last, GateRows& rows) {
        const auto t = groups.slice<I::in>(rows.style, first, last, rows.begin);
        const auto z = groups.slice<I::out>(rows.excitation, first, last, rows.begin);
        if constexpr (IntegrateGroups<I>)
          integrate.infer_groups(first, last - first, t, z);
        else if constexpr (IntegrateBlocks<I>)
          integrate.infer_block(first, last - first, t, z);
        else
          integrate.infer(first, t, z);
      },
      open_step(gate));
}

/// The rows are the tape's, which is the module's: a RowTape and the integration's own.
template <class I, class G>
[[nodiscard]] auto forward_step(I& integrate, const G& gate, const Groups& groups) {
  return between<I>(
      groups, no_rows,
      [&integrate, groups](Index first, Index last, auto& tape) {
        const auto t = groups.slice<I::in>(tape.style, first, last);
        const auto z = groups.slice<I::out>(tape.excitation, first, last);
        if constexpr (IntegrateGroups<I>)
          integrate.forward_groups(first, last - first, t, z, tape.integrate);
        else if constexpr (IntegrateBlocks<I>)
          integrate.forward_block(first, last - first, t, z, tape.integrate);
        else
          integrate.forward(first, t, z, tape.integrate);
      },
      open_step(gate));
}

/// From the gradients of the gates to those of the styles.
template <class I, class G, class Tape>
[[nodiscard]] auto backward_step(I& integrate, const G& gate, const Groups& groups, Tape& tape) {
  return between<I>(
      groups,
      [&](Index first, Index last, PullRows& rows) {
        pull_rows(gate, last - first, tape.excitation.data() + first * G::width,
                  rows.grad_gate.data() + (first - rows.begin),
                  rows.grad_excitation.data() + (first - rows.begin) * G::width);
      },
      [&, groups](Index first, Index last, PullRows& rows) {
        const auto t = groups.slice<I::in>(tape.style, first, last);
        const auto dz = groups.slice<I::out>(rows.grad_excitation, first, last, rows.begin);
        const auto dt = groups.slice<I::in>(rows.grad_style, first, last, rows.begin);
        if constexpr (IntegrateGroups<I>)
          integrate.backward_groups(first, last - first, t, dz, dt, tape.integrate);
        else if constexpr (IntegrateBlocks<I>)
          integrate.backward_block(first, last - first, t, dz, dt, tape.integrate);
        else
          integrate.backward(first, t, dz, dt, tape.integrate);
      },
      no_rows);
}

/// What is pulled from planes of `count` elements after backward_step(): from that of a row, or of as many from it on
/// as A has lanes.
template <class P>
struct PulledRows {
  const P& pool;
  Index count;
  const GateRows& tape;
  const PullRows& rows;

  /// Whether the pool's pull() is written for packs.
  static constexpr bool packs = requires(const P& p, const pack_for<double>* t) { p.pull(t, t, Index{}); };

  template <class A>
  [[nodiscard]] BasicPull<A> pull(Index row) const {
    const auto t = load_interleaved<A, P::width>(tape.style.data() + row * P::width);
    const auto dt = load_interleaved<A, P::width>(rows.grad_style.data() + (row - rows.begin) * P::width);
    return pool.pull(t.data(), dt.data(), count);
  }

  /// The scale of the gate.
  template <class A>
  [[nodiscard]] A scale(Index row) const {
    return load_gates<A>(tape.gate.data() + row)[0];
  }
};

/// with_rows(rows_of), where rows_of gives Rows for a backward pass through all groups; then the gradients of
/// parameters that the integration adds at the end, which need all rows.
template <class Rows, class P, class I, class Tape, class WithRows>
void with_pull_rows(I& integrate, const Groups& groups, Tape& tape, const WithRows& with_rows) {
  if constexpr (ParametersAtEnd<I>) {
    OwnRows<Rows> all(0, groups.planes(), P::width, I::out);
    with_rows([&all](Index, Index) { return &*all; });
    add_parameter_gradients(integrate, groups.groups(), tape.style, (*all).grad_excitation, tape.integrate);
  } else {
    with_rows([](Index first, Index last) { return OwnRows<Rows>(first, last, P::width, I::out); });
  }
}

}  // namespace detail

}  // namespace recal
