// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include <recal/backend/cuda/channel_norm_rows.hpp>
#include <recal/backend/cuda/channel_walk.hpp>
#include <recal/backend/cuda/planes.hpp>

namespace recal::cuda {

/// Shared memory of a block whose teams reduce with Reducer, sum by lanes or look for an element.
template <class Reducer>
inline constexpr int tail_shared_bytes = std::max(PlaneTeam<int>::template shared_bytes<Reducer>,
                                                  BlockLanes<int>::shared_bytes);

/// y = Map(x) or Map(x, shortcut) on every plane: scale*(x - centre) + shift, and what follows. The numbers are those
/// of the plane's row, or of its channel.
template <class T, class Map>
struct AffineKernel {
  static constexpr bool adds = std::is_same_v<Map, fused::ChannelAffineAddRelu<float>>;

  Groups groups;
  Split split;
  TensorView<const T> x;
  TensorView<const T> shortcut;
  TensorView<T> y;
  const MapNumbers* maps;
  bool by_channel;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (item.there) apply(ctx, item.team, item.stretch, item.plane);
  }

  template <class Context>
  RECAL_HOST_DEVICE void apply(const Context& ctx, const PlaneTeam<Context>& team, Stretch stretch, Plane at) const {
    const MapNumbers numbers = ctx.load(maps + (by_channel ? at.c : at.row));
    const Map map{fused::ChannelAffine<float>{numbers.lane[0], numbers.lane[1], numbers.lane[2]}};
    if constexpr (adds)
      team.map_stretch(stretch, y.plane(at.n, at.c), map, x.plane(at.n, at.c), shortcut.plane(at.n, at.c));
    else
      team.map_stretch(stretch, y.plane(at.n, at.c), map, x.plane(at.n, at.c));
  }
};

/// sum dr and sum dr (x - centre) of every plane, in one pass, with the channel's mean as a float for the centre.
/// Where it masks, dr = dy where y > 0, else 0, and goes to `dr`, which may be dy; else dr = dy.
/// A lane's sums are float, all lanes' double; in double where float overflows.
template <class T, bool masks>
struct SumsKernel {
  Groups groups;
  Split split;
  TensorView<const T> x;
  TensorView<const T> y;
  TensorView<const T> dy;
  TensorView<T> dr;
  const double* mean;  // (C)
  States<CentredDots> states;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (item.there) sum(ctx, item.team, item.stretch, item.plane, item.part);
  }

  template <class Context>
  RECAL_HOST_DEVICE void sum(const Context& ctx, const PlaneTeam<Context>& team, Stretch stretch, Plane at,
                             Index part) const {
    auto total = over_team<float>(ctx, team, stretch, at);
    if (!finite(total)) total = over_team<double>(ctx, team, stretch, at);  // dr is dr again
    if (team.lane() == 0) states.put(ctx, at.row, part, total);
  }

 private:
  static constexpr int L = detail::vector_length<T>;

  struct Planes {
    const T* x;
    const T* y;
    const T* dy;
    T* dr;
  };

  template <class A, class Context>
  [[nodiscard]] RECAL_HOST_DEVICE CentredDots::State<double> over_team(const Context& ctx,
                                                                       const PlaneTeam<Context>& team, Stretch stretch,
                                                                       Plane at) const {
    const auto own = over_lane<A>(ctx, team, stretch, at);
    const auto gradient = static_cast<double>(own.gradient);
    const auto product = static_cast<double>(own.product);
    if (team.count() > 1) {
      const WarpLanes<Context> lanes{ctx};
      return {lanes.sum(gradient), lanes.sum(product)};
    }
    const BlockLanes<Context> lanes{ctx};
    return {lanes.sum(gradient), lanes.sum(product)};
  }

  template <class A, class Context>
  [[nodiscard]] RECAL_HOST_DEVICE CentredDots::State<A> over_lane(const Context& ctx, const PlaneTeam<Context>& team,
                                                                  Stretch stretch, Plane at) const {
    Planes planes{x.plane(at.n, at.c), nullptr, dy.plane(at.n, at.c), nullptr};
    if constexpr (masks) {
      planes.y = y.plane(at.n, at.c);
      planes.dr = dr.plane(at.n, at.c);
    }
    const auto centre = static_cast<A>(static_cast<float>(ctx.load(mean + at.c)));
    const int width = ctx.threads() / team.count();
    const Index rest = vectors_end(planes, stretch);
    CentredDots::State<A> sums{};
    for (Index k = stretch.begin + team.lane() * L; k < rest; k += width * L) add<A, L>(ctx, sums, centre, planes, k);
    for (Index k = rest + team.lane(); k < stretch.end; k += width) add<A, 1>(ctx, sums, centre, planes, k);
    return sums;
  }

  /// Where loads of 128 bits end, from the beginning of the stretch on.
  [[nodiscard]] RECAL_HOST_DEVICE static Index vectors_end(const Planes& planes, Stretch stretch) {
    const auto fits = [&](const T* plane) { return detail::aligned<L>(plane + stretch.begin); };
    bool all = fits(planes.x) && fits(planes.dy);
    if constexpr (masks) all = all && fits(planes.y) && fits(planes.dr);
    return all ? stretch.begin + (stretch.end - stretch.begin) / L * L : stretch.begin;
  }

  /// N elements from k on.
  template <class A, int N, class Context>
  RECAL_HOST_DEVICE static void add(const Context& ctx, CentredDots::State<A>& sums, A centre, const Planes& planes,
                                    Index k) {
    const auto values = ctx.load(detail::as_vector<N>(planes.x + k));
    auto gradients = ctx.load(detail::as_vector<N>(planes.dy + k));
    if constexpr (masks) {
      const auto outputs = ctx.load(detail::as_vector<N>(planes.y + k));
      for (int l = 0; l < N; ++l)
        gradients.lane[l] =
            narrow<T>(fused::OpenWherePositive{}(widen<float>(outputs.lane[l]), widen<float>(gradients.lane[l])));
      ctx.store(detail::as_vector<N>(planes.dr + k), gradients);
    }
    for (int l = 0; l < N; ++l) {
      const auto gradient = widen<A>(gradients.lane[l]);
      sums.gradient += gradient;
      sums.product += gradient * (widen<A>(values.lane[l]) - centre);
    }
  }

  [[nodiscard]] RECAL_HOST_DEVICE static bool finite(const CentredDots::State<double>& s) {
    return 0.0 * s.gradient + 0.0 * s.product == 0.0;
  }
};

/// dx = scale*dr + offset + slope*(x - centre) on every plane, the numbers those of its channel.
template <class T>
struct NormPullKernel {
  Groups groups;
  Split split;
  TensorView<const T> x;
  TensorView<const T> dr;
  TensorView<T> dx;
  const MapNumbers* maps;  // (C)

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (item.there) pull(ctx, item.team, item.stretch, item.plane);
  }

  template <class Context>
  RECAL_HOST_DEVICE void pull(const Context& ctx, const PlaneTeam<Context>& team, Stretch stretch, Plane at) const {
    const MapNumbers numbers = ctx.load(maps + at.c);
    const fused::ChannelPull<float> map{numbers.lane[0], numbers.lane[1], numbers.lane[2], numbers.lane[3]};
    team.map_stretch(stretch, dx.plane(at.n, at.c), map, dr.plane(at.n, at.c), x.plane(at.n, at.c));
  }
};

/// Moments, the arithmetic of a channel, maps: a channel's whole way forward, a channel to a block.
template <class Reducer, class Rows, class T, class Map>
struct TailForwardKernel {
  int team;
  States<Reducer> states;
  Rows rows;
  AffineKernel<T, Map> apply;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const Stretch whole{0, apply.x.shape.plane()};
    walk_channel(
        ctx, apply.groups, team,
        [&](const PlaneTeam<Context>& planes, Plane at) {
          const auto state = planes.reduce(Reducer{}, whole.end, apply.x.plane(at.n, at.c));
          if (planes.lane() == 0) states.put(ctx, at.row, 0, state);
        },
        rows, [&](const PlaneTeam<Context>& planes, Plane at) { apply.apply(ctx, planes, whole, at); });
  }
};

/// Sums, the arithmetic of a channel, pulls: a channel's whole way backward. Pull is NormPullKernel or PullKernel.
template <class Rows, class T, bool masks, class Pull>
struct TailBackwardKernel {
  int team;
  SumsKernel<T, masks> sums;
  Rows rows;
  Pull pull;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const Stretch whole{0, pull.x.shape.plane()};
    walk_channel(
        ctx, pull.groups, team,
        [&](const PlaneTeam<Context>& planes, Plane at) { sums.sum(ctx, planes, whole, at, 0); }, rows,
        [&](const PlaneTeam<Context>& planes, Plane at) { pull.pull(ctx, planes, whole, at); });
  }
};

}  // namespace recal::cuda
