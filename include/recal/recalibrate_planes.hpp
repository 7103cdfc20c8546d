// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include <recal/backend/backend.hpp>
#include <recal/backend/channel_block.hpp>
#include <recal/backend/lanes_sink.hpp>
#include <recal/core/columns.hpp>
#include <recal/core/dots.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>
#include <recal/gate/gate.hpp>
#include <recal/groups.hpp>
#include <recal/map_in_lanes.hpp>
#include <recal/pool/style_pool.hpp>
#include <recal/row_lanes.hpp>

namespace recal::detail {

/// The step between the two passes over planes: some(first, last, rows) on the groups [first, last), or
/// all(backend, rows), with the numbers of these rows. Where it does several groups `together` for less than one by
/// one, small samples come all at once and larger ones by the few.
template <class Some, class All>
struct Between {
  Some some;
  All all;
  bool together = false;
};
template <class Some, class All>
Between(Some, All, bool = false) -> Between<Some, All>;

/// Groups from which on they alone keep every core busy.
inline constexpr Index enough_groups = 8;

/// Elements of a tensor that the last cache holds, so that less is gained by going through it group by group.
inline constexpr Index small_tensor = Index{1} << 22U;

/// Samples that are integrated together where all of them are too many for the cache, and their elements at most.
inline constexpr Index few_samples = 4;
inline constexpr Index elements_of_few = Index{1} << 19U;

/// f(team, run) on runs of up to `width` channels that cover all planes, each by itself.
template <class B, class F>
void walk_runs(const B& backend, const Shape& x, Index width, const F& f) {
  const Index blocks = (x.c + width - 1) / width;
  backend.walk(x.n * blocks, width * x.plane(), [&](const typename B::Team& team, Index i) {
    const Index first = i % blocks * width;
    f(team, PlaneRun{i / blocks, first, std::min(x.c, first + width)});
  });
}

/// before on every plane, between, after on every plane, in the order in which planes lie.
template <class B, class RowsOf, class Before, class Some, class All, class After>
void run_by_plane(const B& backend, const Groups& groups, const RowsOf& rows_of, const Before& before,
                  const Between<Some, All>& between, const After& after) {
  const Index wide = ChannelBlock::width(groups.shape);
  const Index width = groups.asks_early ? std::min(Groups::short_run / groups.shape.plane(), wide) : wide;
  walk_runs(backend, groups.shape, width, [&](const typename B::Team& team, const PlaneRun& run) {
    const Index first = groups.row(run.n, run.first);
    auto&& rows = rows_of(first, first + run.size());
    before(team, run, *rows);
    between.some(first, first + run.size(), *rows);
    after(team, run, *rows);
  });
}

/// The same channel by channel: in blocks of channels.
template <class B, class RowsOf, class Before, class Some, class All, class After>
void run_by_channel(const B& backend, const Shape& x, const RowsOf& rows_of, const Before& before,
                    const Between<Some, All>& between, const After& after) {
  walk_channels(backend, x, [&](const typename B::Team& team, const ChannelBlock& block) {
    auto&& rows = rows_of(block.first * x.n, block.last * x.n);
    for (Index n = 0; n < x.n; ++n) before(team, PlaneRun{n, block.first, block.last}, *rows);
    between.some(block.first, block.last, *rows);
    for (Index n = 0; n < x.n; ++n) after(team, PlaneRun{n, block.first, block.last}, *rows);
  });
}

/// The same sample by sample, or so many samples together.
template <class B, class RowsOf, class Before, class Some, class All, class After>
void run_by_sample(const B& backend, const Shape& x, Index together, const RowsOf& rows_of, const Before& before,
                   const Between<Some, All>& between, const After& after) {
  backend.walk((x.n + together - 1) / together, together * x.c * x.plane(), [&](const typename B::Team& team, Index i) {
    const Index first = i * together;
    const Index last = std::min(x.n, first + together);
    auto&& rows = rows_of(first * x.c, last * x.c);
    for (Index n = first; n < last; ++n) before(team, PlaneRun{n, 0, x.c}, *rows);
    between.some(first, last, *rows);
    for (Index n = first; n < last; ++n) after(team, PlaneRun{n, 0, x.c}, *rows);
  });
}

/// Runs before(team, run, rows) on every plane of a group, between on the group, after(team, run, rows): run by run
/// where planes are groups, else some groups after the others, so that the second pass finds the planes in cache, or
/// phase by phase over the whole tensor where the backend does not gain from that, groups are too few to share out, or
/// the tensor is small and its samples are integrated together. The results are the same.
/// rows_of(first, last) points to memory for the numbers of at least these rows, as long as all three need it.
template <class B, class RowsOf, class Before, class Some, class All, class After>
void run(const B& backend, const Groups& groups, const RowsOf& rows_of, const Before& before,
         const Between<Some, All>& between, const After& after) {
  const bool by_sample = groups.mixing == Mixing::channels;
  const bool small = between.together && groups.shape.size() <= small_tensor;
  if (B::fuses_groups && groups.planewise) {
    run_by_plane(backend, groups, rows_of, before, between, after);
  } else if (!B::fuses_groups || groups.groups() < enough_groups || small) {
    auto&& rows = rows_of(Index{0}, groups.planes());
    const Index width = ChannelBlock::width(groups.shape);
    walk_runs(backend, groups.shape, width, [&](const auto& team, const PlaneRun& run) { before(team, run, *rows); });
    between.all(backend, *rows);
    walk_runs(backend, groups.shape, width, [&](const auto& team, const PlaneRun& run) { after(team, run, *rows); });
  } else if (by_sample) {
    const Index sample = std::max(groups.shape.c * groups.shape.plane(), Index{1});
    const Index few = std::clamp(elements_of_few / sample, Index{1}, few_samples);
    run_by_sample(backend, groups.shape, between.together ? few : 1, rows_of, before, between, after);
  } else {
    run_by_channel(backend, groups.shape, rows_of, before, between, after);
  }
}

/// A sink of reduce_planes: what a pool makes of states, into the rows of a run.
template <class P>
struct FinishIntoRows {
  const P& pool;
  Index count;
  RunRows rows;
  double* style;
  WrittenNext written_next;

  template <class State>
  void operator()(Index i, const State& state) const {
    pool.finish(state, count, style + rows[i] * P::width);
  }

  /// Of as many planes as Lanes has lanes, of which the first `planes` are meant.
  template <class Lanes, class State>
    requires requires(const P& p, const State& state, Lanes* t) { p.finish(state, Index{}, t); }
  void several(Index first, Index planes, const State& states) const {
    std::array<Lanes, static_cast<std::size_t>(P::width)> t;
    pool.finish(states, count, t.data());
    store_rows(style, rows, first, planes, t);
  }
};

/// The planes of y that the pass after the one over a run writes, where memory is asked for early.
template <class Y>
[[nodiscard]] WrittenNext written_next(const Groups& groups, const PlaneRun& run, const Y& y) {
  const auto planes = y.planes(run.n, run.first);
  if (!groups.asks_early || !dense(y.shape.plane(), planes)) return {};
  return {reinterpret_cast<const std::byte*>(planes.first),
          y.shape.plane() * static_cast<Index>(sizeof(*planes.first))};
}

/// Tells the team which planes of x come after a run, where memory is asked for early.
template <class Team, class X>
[[gnu::always_inline]] inline void read_after(const Team& team, const Groups& groups, const PlaneRun& run, const X& x) {
  const Index count = x.shape.plane() * run.size();
  if (groups.asks_early) read_next(team, x.plane(run.n, run.first) + count, count);
}

/// t = pool(plane), into the row of each plane; `next` is where the next pass writes, where it is to be known.
template <class Team, class P, class X>
void pool(const Team& team, const P& pool, const X& x, const PlaneRun& run, const RunRows& rows, double* style,
          const WrittenNext& next = {}) {
  const Index count = x.shape.plane();
  reduce_planes(team, pool, count, run.size(), FinishIntoRows<P>{pool, count, rows, style, next},
                x.planes(run.n, run.first));
}

/// The gates of some planes, where their rows are.
struct GatesOfPlanes {
  const Affine* gates;
  RunRows rows;

  [[nodiscard]] const Affine& operator[](Index plane) const { return gates[rows[plane]]; }

  /// Scale and shift of a plane's gate, or of as many as A has lanes.
  /// requires: rows that lie together where A is a pack
  template <class A>
  [[nodiscard]] std::array<A, 2> get(Index plane) const {
    return load_gates<A>(gates + rows[plane]);
  }
};

/// y = scale*x + shift
template <class A>
struct ApplyGate {
  A scale;
  A shift;
  template <class P>
  P operator()(P x) const {
    return x * scale + shift;
  }
};

/// y = gate of x on planes of `count` elements.
template <class Team, class T, class U>
void apply(const Team& team, Index count, Index planes, const GatesOfPlanes& gates, PlaneSpan<T> x, PlaneSpan<U> y) {
  map_in_lanes<ApplyGate>(
      team, count, planes, gates.rows,
      [&]<class A>(Index i, A) {
        const auto [scale, shift] = gates.get<A>(i);
        return ApplyGate<A>{scale, shift};
      },
      y, x);
}

/// (dL/dscale, dL/dshift) of each plane's gate, into its row.
template <class Team, class X, class DY>
void dots(const Team& team, const X& x, const DY& dy, const PlaneRun& run, const RunRows& rows, Affine* grad) {
  const auto keep = [&](Index i, Index planes, const auto& sums) {
    store_rows(numbers_of(grad), rows, i, planes, std::array{sums.s1(), sums.s0()});
  };
  reduce_planes(team, Dots{}, x.shape.plane(), run.size(), LanesSink{keep}, x.planes(run.n, run.first),
                dy.planes(run.n, run.first));
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

/// dx = scale*dy + p
template <class A>
struct PullEvenly {
  A scale;
  A p;
  template <class P>
  P operator()(P g) const {
    return g * scale + p;
  }
};

/// dx = scale*dy + p + q*(x - centre)
template <class A>
struct PullBySlope {
  A scale;
  A p;
  A q;
  A centre;
  template <class P>
  P operator()(P g, P x) const {
    return g * scale + ((x - centre) * q + p);
  }
};

/// dx = scale*dy + p + q*(x - centre) on planes that a block of channels may have, with scale and pull as `pulled` has
/// them of their rows, and the pick at its element. A plane whose q is 0 does not look at x.
template <class Team, class Pulled, class X, class DY, class DX>
void pull_block(const Team& team, Index count, Index planes, const RunRows& rows, const Pulled& pulled, PlaneSpan<X> x,
                PlaneSpan<DY> dy, PlaneSpan<DX> dx) {
  using A = typename Team::template accumulator<std::remove_const_t<X>>;
  Columns<PullBySlope, A, ChannelBlock::limit> maps;
  Index picks = 0;
  Index slopes = 0;
  for_each_row_lanes<Pulled::packs>(rows, planes, [&]<class L>(Index i, L) {
    const BasicPull<L> pull = pulled.template pull<L>(rows[i]);
    picks += count_nonzero(pull.pick);
    slopes += count_nonzero(pull.q);
    maps.set(i, PullBySlope<L>{pulled.template scale<L>(rows[i]), pull.p, pull.q, pull.centre});
  });
  const auto evenly = [&](Index i) {
    const auto map = maps.get(i);
    return PullEvenly<A>{map.scale, map.p};
  };
  const auto by_slope = [&](Index i) { return maps.get(i); };
  if (picks == 0 && slopes == 0) return map_each_plane(team, count, planes, dx, evenly, dy);
  if (picks == 0 && slopes == planes) return map_each_plane(team, count, planes, dx, by_slope, dy, x);
  for (Index i = 0; i < planes; ++i) {
    const Pull pull = pulled.template pull<double>(rows[i]);
    // Looked up before dx is written, which may be x.
    const Index picked = pull.pick != 0 ? find_element(x[i], count, pull.picked) : count;
    if (pull.q == 0)
      team.map(count, dx[i], evenly(i), dy[i]);
    else
      team.map(count, dx[i], by_slope(i), dy[i], x[i]);
    if (picked < count) add_to(dx[i] + picked, pull.pick);
  }
}

/// The same on any number of planes.
template <class Team, class Pulled, class X, class DY, class DX>
void pull(const Team& team, Index count, Index planes, const RunRows& rows, const Pulled& pulled, PlaneSpan<X> x,
          PlaneSpan<DY> dy, PlaneSpan<DX> dx) {
  for (Index first = 0; first < planes; first += ChannelBlock::limit)
    pull_block(team, count, std::min(ChannelBlock::limit, planes - first), RunRows{rows[first], rows.step}, pulled,
               x.from(first), dy.from(first), dx.from(first));
}

}  // namespace recal::detail
