// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/channel_affine.hpp>
#include <recal/core/dots.hpp>
#include <recal/core/host_device.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/pool/plane_moments.hpp>

/// What batch norm is made of: what is summed up of channels, and what is done to them.
namespace recal::fused {

/// The moments of one channel from those of its planes, all of K elements, put together in double about the first
/// plane's mean. With a pack as A: those of as many channels as it has lanes.
template <class A>
struct BasicChannelMoments {
  A planes;
  A shift;
  A inside;     ///< of squares
  A between;    ///< of (mean - shift)^2
  A distances;  ///< of mean - shift

  /// Of its first plane.
  [[nodiscard]] RECAL_HOST_DEVICE static BasicChannelMoments of(const BasicPlaneMoments<A>& plane) {
    return {A(1), plane.mean, plane.squares, A(0), A(0)};
  }

  RECAL_HOST_DEVICE void add(const BasicPlaneMoments<A>& plane) {
    const A distance = plane.mean - shift;
    inside += plane.squares;
    between += distance * distance;
    distances += distance;
    planes += A(1);
  }

  [[nodiscard]] RECAL_HOST_DEVICE A mean() const { return shift + distances / planes; }

  /// sum (x - mean)^2 over the planes, of K = `elements` each
  [[nodiscard]] RECAL_HOST_DEVICE A squares(double elements) const {
    return inside + A(elements) * max(between - distances * distances / planes, A(0));
  }
};

using ChannelMoments = BasicChannelMoments<double>;

using recal::ChannelAffine;
using recal::ChannelAffineRelu;

template <class A>
struct ChannelAffineAddRelu : ChannelAffine<A> {
  template <class P>
  [[nodiscard]] RECAL_HOST_DEVICE P operator()(P x, P shortcut) const {
    return max(P(0), ChannelAffine<A>::operator()(x) + shortcut);
  }
};

/// S0 = sum dr and S1 = sum dr (x - centre) of one channel or plane, the centre one of T's numbers. With a pack as A:
/// those of as many as it has lanes.
template <class A>
struct BasicGradientSums {
  A centre = 0;
  A gradient = 0;
  A product = 0;

  RECAL_HOST_DEVICE void add(const Dots::State<A>& plane) {
    gradient += plane.s0();
    product += plane.s1_about(centre);
  }
};

using GradientSums = BasicGradientSums<double>;

/// dy where y > 0, else 0.
struct OpenWherePositive {
  template <class P>
  [[nodiscard]] RECAL_HOST_DEVICE P operator()(P y, P dy) const {
    return where_positive(y, dy);
  }
};

/// dy where the map of x is > 0, else 0: what OpenWherePositive makes of the map's ReLU, without it in memory.
template <class A>
struct OpenWhereAffine : ChannelAffine<A> {
  template <class P>
  [[nodiscard]] RECAL_HOST_DEVICE P operator()(P x, P dy) const {
    return where_positive(ChannelAffine<A>::operator()(x), dy);
  }
};

/// scale * dr + offset + slope * (x - centre)
template <class A>
struct ChannelPull {
  A scale;
  A centre;
  A offset;
  A slope;
  template <class B>
  [[nodiscard]] RECAL_HOST_DEVICE ChannelPull<B> as() const {
    return {static_cast<B>(scale), static_cast<B>(centre), static_cast<B>(offset), static_cast<B>(slope)};
  }
  template <class P>
  [[nodiscard]] RECAL_HOST_DEVICE P operator()(P dr, P x) const {
    return P(scale) * dr + (P(offset) + P(slope) * (x - P(centre)));
  }
};

}  // namespace recal::fused
