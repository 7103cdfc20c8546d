// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/planes.hpp>

namespace recal::cuda {

/// Both passes over a channel's planes and the arithmetic between them in one launch, a channel to a block, for
/// integrations that do not mix channels: the second pass finds the planes in the second cache.
///
/// Three phases with a barrier between them: the teams of the block take turns at the planes; the first warp does the
/// rows; the teams take turns again.
template <class Context, class First, class Rows, class Second>
RECAL_HOST_DEVICE void walk_channel(const Context& ctx, const Groups& groups, int team_width, const First& first,
                                    const Rows& rows, const Second& second) {
  const PlaneTeam<Context> team(ctx, team_width);
  const Index channel = ctx.block();
  for (Index r = team.index(); r < groups.rows(); r += team.count()) first(team, groups.plane(channel, r));
  ctx.barrier();
  if (ctx.thread() < warp_lanes) rows(WarpLanes<Context>{ctx}, channel);
  ctx.barrier();
  for (Index r = team.index(); r < groups.rows(); r += team.count()) second(team, groups.plane(channel, r));
}

template <class P, class G, class V, class T, class U>
struct ChannelForwardKernel {
  int team;
  ForwardRows<P, G, V> rows;
  ApplyKernel<T, U> apply;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const Stretch whole{0, rows.elements};
    walk_channel(
        ctx, apply.groups, team,
        [&](const PlaneTeam<Context>& planes, Plane at) {
          const auto state = planes.reduce(rows.pool, rows.elements, apply.x.plane(at.n, at.c));
          if (planes.lane() == 0) rows.states.put(ctx, at.row, 0, state);
        },
        rows, [&](const PlaneTeam<Context>& planes, Plane at) { apply.apply(ctx, planes, whole, at); });
  }
};

template <class P, class G, class V, class T, class U, class W>
struct ChannelBackwardKernel {
  int team;
  BackwardRows<P, G, V> rows;
  PullKernel<T, U, W> pull;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const Stretch whole{0, rows.elements};
    walk_channel(
        ctx, pull.groups, team,
        [&](const PlaneTeam<Context>& planes, Plane at) {
          const auto state = planes.reduce(Dots{}, rows.elements, pull.x.plane(at.n, at.c), pull.dy.plane(at.n, at.c));
          if (planes.lane() == 0) rows.states.put(ctx, at.row, 0, state);
        },
        rows, [&](const PlaneTeam<Context>& planes, Plane at) { pull.pull(ctx, planes, whole, at); });
  }
};

}  // namespace recal::cuda
