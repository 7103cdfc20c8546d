// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/convert.hpp>
#include <recal/backend/cuda/field/positions.hpp>
#include <recal/backend/cuda/integrate/channel_norm.hpp>
#include <recal/core/tensor.hpp>

namespace recal::cuda {

/// recal::DepthwisePlane for all planes of a tensor: 3x3 at stride 2 with a border of one zero, or the whole map.
struct Depthwise {
  Shape in;
  Shape out;
  bool whole;

  [[nodiscard]] static Depthwise halving(const Shape& x) {
    return {x, {x.n, x.c, field_size(x.h, 2), field_size(x.w, 2)}, false};
  }
  [[nodiscard]] static Depthwise of_map(const Shape& x) {
    return {x, {x.n, x.c, field_size(x.h, 0), field_size(x.w, 0)}, true};
  }

  [[nodiscard]] RECAL_HOST_DEVICE Index kernel_h() const { return whole ? in.h : 3; }
  [[nodiscard]] RECAL_HOST_DEVICE Index kernel_w() const { return whole ? in.w : 3; }
  [[nodiscard]] RECAL_HOST_DEVICE Index taps() const { return kernel_h() * kernel_w(); }

  /// The input pixels that output (p, q) sees.
  [[nodiscard]] RECAL_HOST_DEVICE Region region(Index p, Index q) const {
    if (whole) return {0, in.h, 0, in.w};
    return {p == 0 ? 0 : 2 * p - 1, 2 * p + 2 < in.h ? 2 * p + 2 : in.h, q == 0 ? 0 : 2 * q - 1,
            2 * q + 2 < in.w ? 2 * q + 2 : in.w};
  }

  /// The tap through which output (p, q) sees input (i, j).
  [[nodiscard]] RECAL_HOST_DEVICE Index tap(Index p, Index q, Index i, Index j) const {
    return whole ? i * in.w + j : (i + 1 - 2 * p) * 3 + (j + 1 - 2 * q);
  }

  /// The gradient of input (i, j): over the outputs that see it, one or two along each side. `grad` is the plane's,
  /// `filter` the channel's.
  template <class Context>
  [[nodiscard]] RECAL_HOST_DEVICE double gradient(const Context& ctx, const double* grad, const float* filter, Index i,
                                                  Index j) const {
    const Index bottom = whole ? 0 : last(i, out.h);
    const Index right = whole ? 0 : last(j, out.w);
    double sum = 0;
    for (Index p = whole ? 0 : i / 2; p <= bottom; ++p)
      for (Index q = whole ? 0 : j / 2; q <= right; ++q)
        sum += ctx.load(grad + p * out.w + q) * static_cast<double>(ctx.load(filter + tap(p, q, i, j)));
    return sum;
  }

 private:
  [[nodiscard]] RECAL_HOST_DEVICE static Index last(Index i, Index outputs) {
    return (i + 1) / 2 < outputs ? (i + 1) / 2 : outputs - 1;
  }
};

/// A field of doubles by channel, (C, N, h, w), as a tensor.
[[nodiscard]] inline TensorView<const double> field_view(const double* t, const Shape& field) {
  return {t, field, field.plane(), field.n * field.plane()};
}

/// y = w * x + bias, a position's sum to a thread or a warp.
template <class T>
struct DepthwiseKernel {
  PositionSplit split;
  Depthwise conv;
  TensorView<const T> x;
  ParameterView weight;
  ParameterView bias;
  double* y;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PositionTeam<Context> at(ctx, split, conv.out);
    if (!at.there) return;  // a whole team, of a block without barriers
    const T* plane = x.plane(at.n, at.c);
    const float* filter = weight.value + at.c * conv.taps();
    const double sum = at.sum(conv.region(at.p, at.q), [&](Index i, Index j) {
      return static_cast<double>(ctx.load(filter + conv.tap(at.p, at.q, i, j))) *
             widen<double>(ctx.load(plane + i * conv.in.w + j));
    });
    if (at.first()) ctx.store(y + at.index, bias.value != nullptr ? sum + bias.get(ctx, at.c) : sum);
  }
};

/// The gradient of the field below, 0 where its ReLU was: x is what came out of it.
struct DepthwiseGradientKernel {
  Depthwise conv;
  const double* dy;
  const float* weight;
  const double* x;
  double* dx;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PositionTeam<Context> at(ctx, PositionSplit{}, conv.in);
    if (!at.there) return;
    const double* grad = dy + (at.c * conv.in.n + at.n) * conv.out.plane();
    const bool open = ctx.load(x + at.index) > 0;
    ctx.store(dx + at.index, open ? conv.gradient(ctx, grad, weight + at.c * conv.taps(), at.p, at.q) : 0.0);
  }
};

/// Batch norm over a channel's positions in all samples, in place, and the ReLU after it: a channel to a block.
struct FieldNormKernel {
  ChannelNorm::View bn;
  Index rows;
  double* t;
  bool rectify;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const BlockLanes<Context> lanes{ctx};
    double* own = t + ctx.block() * rows;
    bn.forward(lanes, ctx.block(), rows, static_cast<const double*>(own), own);
    if (rectify)
      for (Index r = lanes.lane(); r < rows; r += lanes.lanes())
        if (!(lanes.load(own + r) > 0)) lanes.store(own + r, 0.0);
  }
};

/// dt may be dz.
struct FieldNormGradientKernel {
  ChannelNorm::View bn;
  Index rows;
  const double* dz;
  double* dt;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const Index first = ctx.block() * rows;
    bn.backward(BlockLanes<Context>{ctx}, ctx.block(), rows, nullptr, dz + first, dt + first);
  }
};

/// Gradients of a 3x3 filter and its bias, a channel to a block: a thread sums every tap over its positions, then the
/// block over its threads.
template <class T>
struct HalvingFilterGradientKernel {
  Depthwise conv;
  TensorView<const T> x;
  const double* dy;
  ParameterView weight;
  ParameterView bias;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const BlockLanes<Context> lanes{ctx};
    const Index c = ctx.block();
    const Index rows = conv.out.n * conv.out.plane();
    double offset = 0;
    double taps[9] = {};
    for (Index r = lanes.lane(); r < rows; r += lanes.lanes()) {
      const double grad = lanes.load(dy + c * rows + r);
      offset += grad;
      add(lanes, c, r, grad, taps);
    }
    for (int tap = 0; tap < 9; ++tap) {
      const double sum = lanes.sum(taps[tap]);
      if (lanes.lane() == 0) weight.add_gradient(lanes, c * 9 + tap, sum);
    }
    offset = lanes.sum(offset);
    if (bias.value != nullptr && lanes.lane() == 0) bias.add_gradient(lanes, c, offset);
  }

 private:
  template <class Lanes>
  RECAL_HOST_DEVICE void add(const Lanes& lanes, Index c, Index r, double grad, double (&taps)[9]) const {
    const Index q = r % conv.out.w;
    const Index p = r / conv.out.w % conv.out.h;
    const T* plane = x.plane(r / conv.out.plane(), c);
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) {
        const Index i = 2 * p + a - 1;
        const Index j = 2 * q + b - 1;
        if (i >= 0 && i < conv.in.h && j >= 0 && j < conv.in.w)
          taps[a * 3 + b] += grad * widen<double>(lanes.load(plane + i * conv.in.w + j));
      }
  }
};

/// Gradients of a filter as large as the map and its bias: a tap to a thread.
template <class T>
struct MapFilterGradientKernel {
  Depthwise conv;
  TensorView<const T> x;
  const double* dy;
  ParameterView weight;
  ParameterView bias;

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const Index i = ctx.block() * ctx.threads() + ctx.thread();
    if (i >= conv.in.c * conv.taps()) return;  // of a block without barriers
    const Index c = i / conv.taps();
    const Index tap = i % conv.taps();
    double sum = 0;
    double offset = 0;
    for (Index n = 0; n < conv.in.n; ++n) {
      const double grad = ctx.load(dy + c * conv.in.n + n);
      offset += grad;
      sum += grad * widen<double>(ctx.load(x.plane(n, c) + tap));
    }
    weight.add_gradient(ctx, i, sum);
    if (tap == 0 && bias.value != nullptr) bias.add_gradient(ctx, c, offset);
  }
};

}  // namespace recal::cuda
