// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>

#include <recal/backend/cuda/lanes.hpp>
#include <recal/backend/cuda/selector.hpp>
#include <recal/pool/field_pool.hpp>

namespace recal::cuda {

/// Pixels [top, bottom) x [left, right) of a map, or of whatever else has rows and columns.
struct Region {
  Index top;
  Index bottom;
  Index left;
  Index right;

  [[nodiscard]] RECAL_HOST_DEVICE Index count() const { return (bottom - top) * (right - left); }
};

/// The pixels that nearest resize gives to position (p, q): those i with nearest(i, map.h, field.h) == p, and so on.
[[nodiscard]] RECAL_HOST_DEVICE inline Region nearest_region(const Shape& map, const Shape& field, Index p, Index q) {
  const auto first = [](Index at, Index size, Index positions) { return (at * size + positions - 1) / positions; };
  return {first(p, map.h, field.h), first(p + 1, map.h, field.h), first(q, map.w, field.w),
          first(q + 1, map.w, field.w)};
}

/// How the lanes of a team stand over a region: `across` of them on neighbouring columns, a power of two, the others
/// on the rows below.
[[nodiscard]] constexpr int lanes_across(Index columns, int team) {
  const auto wanted = static_cast<int>(std::bit_ceil(static_cast<unsigned>(columns < team ? columns : team)));
  return wanted < team ? wanted : team;
}

/// Who sums over the region of a position: a thread, or a warp where positions are few and regions large.
struct PositionSplit {
  int team = 1;
  int across = 1;

  [[nodiscard]] constexpr Index blocks(const Shape& field) const {
    return (field.size() * team + plane_threads - 1) / plane_threads;
  }

  friend constexpr bool operator==(const PositionSplit&, const PositionSplit&) = default;
};

/// By the loads that a plane's positions cost either way; 10 is what summing over a warp costs.
/// requires: field.size() >= 1, at most rows x columns pixels in a region
[[nodiscard]] constexpr PositionSplit split_positions(const Shape& field, Index rows, Index columns) {
  const int across = lanes_across(columns, warp_lanes);
  const Index down = warp_lanes / across;
  const Index steps = ((columns + across - 1) / across) * ((rows + down - 1) / down);
  const Index alone = (field.plane() + warp_lanes - 1) / warp_lanes * rows * columns;
  return field.plane() * (steps + 10) < alone ? PositionSplit{warp_lanes, across} : PositionSplit{};
}

/// A position of a field and the threads that work on it. Numbers of positions lie by channel: (C, N, h, w), so that
/// neighbouring threads or warps have neighbouring columns.
template <class Context>
class PositionTeam {
 public:
  bool there;
  Index index;  ///< among all numbers of the field
  Index n;
  Index c;
  Index p;
  Index q;

  RECAL_HOST_DEVICE PositionTeam(const Context& ctx, const PositionSplit& split, const Shape& field)
      : ctx_(ctx), split_(split) {
    index = (ctx.block() * ctx.threads() + ctx.thread()) / split.team;
    there = index < field.size();
    q = index % field.w;
    p = index / field.w % field.h;
    n = index / field.plane() % field.n;
    c = index / field.plane() / field.n;
  }

  [[nodiscard]] RECAL_HOST_DEVICE bool first() const { return ctx_.thread() % split_.team == 0; }

  /// The sum of f(i, j) over a region, in a fixed order; every thread of the team gets it.
  template <class F>
  [[nodiscard]] RECAL_HOST_DEVICE double sum(const Region& region, const F& f) const {
    const int lane = ctx_.thread() % split_.team;
    const int down = split_.team / split_.across;
    double total = 0;
    for (Index i = region.top + lane / split_.across; i < region.bottom; i += down)
      for (Index j = region.left + lane % split_.across; j < region.right; j += split_.across) total += f(i, j);
    return split_.team == 1 ? total : WarpLanes<Context>{ctx_}.sum(total);
  }

 private:
  const Context& ctx_;
  PositionSplit split_;
};

/// How the pixels of all planes are shared out: teams of a warp or a block, each plane in `parts` runs of `part_rows`
/// rows, a run to a team.
struct PixelSplit {
  int team = warp_lanes;
  int across = warp_lanes;
  Index parts = 1;
  Index part_rows = 0;

  [[nodiscard]] constexpr Index blocks(const Shape& map) const {
    const Index teams = plane_threads / team;
    return (map.n * map.c * parts + teams - 1) / teams;
  }

  friend constexpr bool operator==(const PixelSplit&, const PixelSplit&) = default;
};

/// requires: map.size() >= 1, multiprocessors >= 1
[[nodiscard]] constexpr PixelSplit split_pixels(const Shape& map, Index multiprocessors) {
  const Split split = split_planes(map.n * map.c, map.plane(), multiprocessors);
  const Index part_rows = (map.h + split.parts - 1) / split.parts;
  return {split.team, lanes_across(map.w, split.team), (map.h + part_rows - 1) / part_rows, part_rows};
}

/// Rows of one plane and the threads that work through their pixels, a warp on neighbouring ones.
template <class Context>
class PixelTeam {
 public:
  bool there;
  Index n;
  Index c;

  RECAL_HOST_DEVICE PixelTeam(const Context& ctx, const PixelSplit& split, const Shape& map)
      : map_(map), across_(split.across), down_(split.team / split.across), lane_(ctx.thread() % split.team) {
    const Index item = ctx.block() * (ctx.threads() / split.team) + ctx.thread() / split.team;
    const Index plane = item / split.parts;
    top_ = item % split.parts * split.part_rows;
    bottom_ = top_ + split.part_rows < map.h ? top_ + split.part_rows : map.h;
    n = plane / map.c;
    c = plane % map.c;
    there = n < map.n;
  }

  /// f(i, j, position) for every pixel, position by nearest resize. Divides once a column, not once a pixel.
  template <class F>
  RECAL_HOST_DEVICE void for_each(const Shape& field, const F& f) const {
    const Index start = top_ + lane_ / across_;
    const Index step = down_ * field.h / map_.h;
    const Index step_rest = down_ * field.h % map_.h;
    for (Index j = lane_ % across_; j < map_.w; j += across_) {
      const Index q = nearest(j, map_.w, field.w);
      Index p = nearest(start, map_.h, field.h);
      Index rest = start * field.h % map_.h;
      for (Index i = start; i < bottom_; i += down_) {
        f(i, j, p * field.w + q);
        p += step;
        rest += step_rest;
        if (rest >= map_.h) {
          rest -= map_.h;
          ++p;
        }
      }
    }
  }

 private:
  Shape map_;
  int across_;
  int down_;
  int lane_;
  Index top_;
  Index bottom_;
};

}  // namespace recal::cuda
