// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/convert.hpp>
#include <recal/backend/cuda/field/positions.hpp>
#include <recal/backend/cuda/integrate/integrate.hpp>
#include <recal/core/tensor.hpp>
#include <recal/gate/gate.hpp>

namespace recal::cuda {

/// (rows, columns) to (columns, rows), by way of shared memory in tiles of 32 x 32, so that both sides are in one
/// piece.
template <class T>
struct TransposeKernel {
  static constexpr int side = warp_lanes;
  static constexpr int pitch = side + 1;  // no two lanes in one bank
  static constexpr int shared_bytes = side * pitch * static_cast<int>(sizeof(T));

  Index rows;
  Index columns;
  const T* from;
  T* to;

  [[nodiscard]] Index blocks() const { return tiles(rows) * tiles(columns); }

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const auto tile = ctx.template shared<T>(0, side * pitch);
    const Index top = ctx.block() / tiles(columns) * side;
    const Index left = ctx.block() % tiles(columns) * side;
    const int lane = ctx.thread() % side;
    for (int r = ctx.thread() / side; r < side; r += ctx.threads() / side)
      if (top + r < rows && left + lane < columns)
        tile.set(r * pitch + lane, ctx.load(from + (top + r) * columns + left + lane));
    ctx.barrier();
    for (int r = ctx.thread() / side; r < side; r += ctx.threads() / side)
      if (left + r < columns && top + lane < rows)
        ctx.store(to + (left + r) * rows + top + lane, tile.get(lane * pitch + r));
  }

 private:
  [[nodiscard]] RECAL_HOST_DEVICE static Index tiles(Index size) { return (size + side - 1) / side; }
};

/// Integration and gates of a field, a group to a block: a channel with the positions of all samples for rows, or a
/// position with the channels for rows. Numbers lie group by group.
template <class G, class V>
struct FieldForwardKernel {
  G gate;
  V integrate;
  Index rows;
  const double* style;
  double* excitation;
  float* gates;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const BlockLanes<Context> lanes{ctx};
    const Index first = ctx.block() * rows;
    integrate.forward(lanes, ctx.block(), rows, style + first, excitation + first);
    lanes.sync();
    for (Index r = first + lanes.lane(); r < first + rows; r += lanes.lanes()) {
      const double z = lanes.load(excitation + r);
      lanes.store(gates + r, static_cast<float>(gate.open(&z).scale));
    }
  }
};

/// `grad`: in, the gradients of the gates; out, those of the excitation.
template <class G, class V>
struct FieldBackwardKernel {
  G gate;
  V integrate;
  Index rows;
  const double* style;
  const double* excitation;
  double* grad;
  double* grad_style;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const BlockLanes<Context> lanes{ctx};
    const Index first = ctx.block() * rows;
    for (Index r = first + lanes.lane(); r < first + rows; r += lanes.lanes()) {
      const double z = lanes.load(excitation + r);
      double dz;
      gate.pull(&z, Affine{lanes.load(grad + r), 0}, &dz);
      lanes.store(grad + r, dz);
    }
    lanes.sync();
    integrate.backward(lanes, ctx.block(), rows, style + first, static_cast<const double*>(grad + first),
                       grad_style + first);
  }
};

/// y = gate*x, each pixel with the gate of its position.
template <class T, class U>
struct FieldApplyKernel {
  PixelSplit split;
  Shape field;
  TensorView<const T> x;
  TensorView<U> y;
  const float* gates;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PixelTeam<Context> team(ctx, split, x.shape);
    if (!team.there) return;  // a whole team, of a block without barriers
    const float* own = gates + (team.c * field.n + team.n) * field.plane();
    const T* from = x.plane(team.n, team.c);
    U* to = y.plane(team.n, team.c);
    team.for_each(field, [&](Index i, Index j, Index position) {
      const Index k = i * x.shape.w + j;
      ctx.store(to + k, narrow<U>(widen<float>(ctx.load(from + k)) * ctx.load(own + position)));
    });
  }
};

/// The gradient of each gate: the sum of dy*x over its pixels.
template <class T, class U>
struct GateGradientKernel {
  PositionSplit split;
  Shape field;
  TensorView<const T> x;
  TensorView<const U> dy;
  double* grad;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PositionTeam<Context> at(ctx, split, field);
    if (!at.there) return;
    const T* from = x.plane(at.n, at.c);
    const U* upper = dy.plane(at.n, at.c);
    const double sum = at.sum(nearest_region(x.shape, field, at.p, at.q), [&](Index i, Index j) {
      const Index k = i * x.shape.w + j;
      return widen<double>(ctx.load(upper + k)) * widen<double>(ctx.load(from + k));
    });
    if (at.first()) ctx.store(grad + at.index, sum);
  }
};

/// dx = gate*dy + what the pool's view says.
template <class U, class V, class View>
struct FieldPullKernel {
  PixelSplit split;
  Shape field;
  TensorView<const U> dy;
  TensorView<V> dx;
  const float* gates;
  View pool;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PixelTeam<Context> team(ctx, split, dy.shape);
    if (!team.there) return;
    const float* own = gates + (team.c * field.n + team.n) * field.plane();
    const U* from = dy.plane(team.n, team.c);
    V* to = dx.plane(team.n, team.c);
    team.for_each(field, [&](Index i, Index j, Index position) {
      const Index k = i * dy.shape.w + j;
      const float direct = widen<float>(ctx.load(from + k)) * ctx.load(own + position);
      ctx.store(to + k, narrow<V>(direct + pool.gradient(ctx, team.n, team.c, i, j)));
    });
  }
};

}  // namespace recal::cuda
