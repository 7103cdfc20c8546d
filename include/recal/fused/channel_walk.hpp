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
/// plane's mean.
class ChannelMoments {
 public:
  ChannelMoments() = default;

  /// From sums over `planes` planes, taken elsewhere: of squares, (mean - shift)^2 and mean - shift.
  RECAL_HOST_DEVICE ChannelMoments(double planes, double shift, double inside, double between, double distances)
      : planes_(planes), shift_(shift), inside_(inside), between_(between), distances_(distances) {}

  RECAL_HOST_DEVICE void add(const PlaneMoments& plane) {
    if (planes_ == 0.0) shift_ = plane.mean;
    const double distance = plane.mean - shift_;
    inside_ += plane.squares;
    between_ += distance * distance;
    distances_ += distance;
    planes_ += 1.0;
  }

  [[nodiscard]] RECAL_HOST_DEVICE double mean() const { return shift_ + distances_ / planes_; }

  /// sum (x - mean)^2 over the planes, of K = `elements` each
  [[nodiscard]] RECAL_HOST_DEVICE double squares(double elements) const {
    const double between = between_ - distances_ * distances_ / planes_;
    return inside_ + elements * (between > 0.0 ? between : 0.0);
  }

 private:
  double planes_ = 0.0;
  double shift_ = 0.0;
  double inside_ = 0.0;
  double between_ = 0.0;
  double distances_ = 0.0;
};

using recal::ChannelAffine;
using recal::ChannelAffineRelu;

template <class A>
struct ChannelAffineAddRelu : ChannelAffine<A> {
  template <class P>
  [[nodiscard]] RECAL_HOST_DEVICE P operator()(P x, P shortcut) const {
    return max(P(0), ChannelAffine<A>::operator()(x) + shortcut);
  }
};

/// S0 = sum dr and S1 = sum dr (x - centre) of one channel or plane, the centre one of T's numbers.
struct GradientSums {
  double centre = 0.0;
  double gradient = 0.0;
  double product = 0.0;

  RECAL_HOST_DEVICE void add(const Dots::State<double>& plane) {
    gradient += plane.s0();
    product += plane.s1_about(centre);
  }
};

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
