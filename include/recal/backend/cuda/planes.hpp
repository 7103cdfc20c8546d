// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/rows.hpp>
#include <recal/backend/cuda/selector.hpp>
#include <recal/core/tensor.hpp>

namespace recal::cuda {

/// y = scale*x + shift
struct ApplyMap {
  float scale;
  float shift;
  RECAL_HOST_DEVICE float operator()(float x) const { return x * scale + shift; }
};

/// dx = scale*dy + p: what is left of it for pools whose gradient does not look at x.
struct ShiftMap {
  float scale;
  float p;
  RECAL_HOST_DEVICE float operator()(float dy) const { return dy * scale + p; }
};

/// dx = scale*dy + p + q*(x - centre)
struct PullMap {
  Vector<float, 4> numbers;
  RECAL_HOST_DEVICE float operator()(float dy, float x) const {
    return dy * numbers.lane[0] + ((x - numbers.lane[3]) * numbers.lane[2] + numbers.lane[1]);
  }
};

/// Which stretch of which plane a team has, among all of a tensor.
template <class Context>
struct PlaneItem {
  PlaneTeam<Context> team;
  bool there;
  Plane plane;
  Index part;
  Stretch stretch;

  RECAL_HOST_DEVICE PlaneItem(const Context& ctx, const Groups& groups, const Split& split) : team(ctx, split.team) {
    const Index item = ctx.block() * team.count() + team.index();
    const Index elements = groups.shape.plane();
    there = item < groups.planes() * split.parts;
    part = item % split.parts;
    const Index row = item / split.parts;
    plane = groups.plane(row / groups.rows(), row % groups.rows());
    const Index end = (part + 1) * split.part_elements;
    stretch = {part * split.part_elements, end < elements ? end : elements};
  }
};

/// Reduces every plane of its tensors, part by part.
template <class Reducer, class... T>
struct ReduceKernel;

template <class Reducer, class T>
struct ReduceKernel<Reducer, T> {
  Groups groups;
  Split split;
  TensorView<const T> x;
  States<Reducer> states;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (!item.there) return;  // a whole warp, of a block without barriers
    const auto state =
        item.team.template reduce_stretch<Reducer>(x.shape.plane(), item.stretch, x.plane(item.plane.n, item.plane.c));
    if (item.team.lane() == 0) states.put(ctx, item.plane.row, item.part, state);
  }
};

template <class Reducer, class T, class U>
struct ReduceKernel<Reducer, T, U> {
  Groups groups;
  Split split;
  TensorView<const T> x;
  TensorView<const U> dy;
  States<Reducer> states;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (!item.there) return;
    const Plane at = item.plane;
    const auto state = item.team.template reduce_stretch<Reducer>(x.shape.plane(), item.stretch, x.plane(at.n, at.c),
                                                                  dy.plane(at.n, at.c));
    if (item.team.lane() == 0) states.put(ctx, at.row, item.part, state);
  }
};

/// y = scale*x + shift on every plane.
template <class T, class U>
struct ApplyKernel {
  Groups groups;
  Split split;
  TensorView<const T> x;
  TensorView<U> y;
  const ApplyNumbers* gates;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (item.there) apply(ctx, item.team, item.stretch, item.plane);
  }

  template <class Context>
  RECAL_HOST_DEVICE void apply(const Context& ctx, const PlaneTeam<Context>& team, Stretch stretch, Plane at) const {
    const ApplyNumbers gate = ctx.load(gates + at.row);
    team.map_stretch(stretch, y.plane(at.n, at.c), ApplyMap{gate.lane[0], gate.lane[1]}, x.plane(at.n, at.c));
  }
};

/// dx = scale*dy + p + q*(x - centre) on every plane, and the pick at its element.
template <class T, class U, class V>
struct PullKernel {
  Groups groups;
  Split split;
  TensorView<const T> x;
  TensorView<const U> dy;
  TensorView<V> dx;
  const PullNumbers* pulls;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (item.there) pull(ctx, item.team, item.stretch, item.plane);
  }

  template <class Context>
  RECAL_HOST_DEVICE void pull(const Context& ctx, const PlaneTeam<Context>& team, Stretch stretch, Plane at) const {
    const Vector<float, 4> numbers = ctx.load(&pulls[at.row].affine);
    const T* from = x.plane(at.n, at.c);
    const U* grad = dy.plane(at.n, at.c);
    if (numbers.lane[2] == 0)
      write(ctx, team, stretch, at, ShiftMap{numbers.lane[0], numbers.lane[1]}, grad);
    else
      write(ctx, team, stretch, at, PullMap{numbers}, grad, from);
  }

 private:
  /// A pick is found and added up before dx is written, which may be x or dy, and stored by who has just written its
  /// place.
  template <class Context, class Map, class... In>
  RECAL_HOST_DEVICE void write(const Context& ctx, const PlaneTeam<Context>& team, Stretch stretch, Plane at,
                               const Map& map, const In*... in) const {
    V* to = dx.plane(at.n, at.c);
    const Vector<float, 4> pick = ctx.load(&pulls[at.row].pick);
    if (pick.lane[0] == 0) {
      team.map_stretch(stretch, to, map, in...);
      return;
    }
    const Index k = team.find(x.shape.plane(), x.plane(at.n, at.c), static_cast<double>(pick.lane[1]));
    const bool mine = team.lane() == team.writer(stretch, k, to, in...);
    float there = 0;
    if (mine) there = map(widen<float>(ctx.load(in + k))...) + pick.lane[0];
    team.map_stretch(stretch, to, map, in...);
    if (mine) ctx.store(to + k, narrow<V>(there));
  }
};

}  // namespace recal::cuda
