// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/backend/backend.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>
#include <recal/pool/mean_std.hpp>

/// What batch norm is made of: how channels are walked, what is summed up of them, and what is done to them.
namespace recal::nn::detail {

/// The moments of one channel from those of its planes, all of K elements, put together in double about the first
/// plane's mean.
class ChannelMoments {
 public:
  void add(const MeanStd::State<double>& plane, double elements) {
    const double deviation = plane.sum / elements;
    const double mean = plane.shift + deviation;
    const double own = plane.squares - plane.sum * deviation;
    if (planes_ == 0.0) shift_ = mean;
    const double distance = mean - shift_;
    inside_ += own > 0.0 ? own : 0.0;
    between_ += distance * distance;
    distances_ += distance;
    planes_ += 1.0;
  }

  [[nodiscard]] double mean() const { return shift_ + distances_ / planes_; }

  /// sum (x - mean)^2 over the planes, of K = `elements` each
  [[nodiscard]] double squares(double elements) const {
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

/// Channels that are worked on together, sample by sample, so that memory is read in long runs: [first, last).
struct ChannelBlock {
  static constexpr Index limit = 64;
  static constexpr Index elements_per_run = 8192;
  Index first;
  Index last;

  /// Enough channels for a long run, few enough for eight threads or more.
  [[nodiscard]] static Index width(const Shape& x) {
    const Index wanted = elements_per_run / std::max(x.plane(), Index{1});
    return std::clamp(std::min(wanted, x.c / 8), Index{1}, limit);
  }
};

/// program(team, block) for blocks that cover all channels of x; their sizes depend on the shape alone.
template <class B, class Program>
void walk_channels(const B& backend, const Shape& x, const Program& program) {
  const Index width = ChannelBlock::width(x);
  backend.walk((x.c + width - 1) / width, width * x.n * x.plane(), [&](const typename B::Team& team, Index g) {
    program(team, ChannelBlock{g * width, std::min(x.c, (g + 1) * width)});
  });
}

/// scale * (x - centre) + shift; the centre is one of T's numbers, so that a large mean cancels exactly.
template <class A>
struct ChannelAffine {
  A scale;
  A centre;
  A shift;
  template <class P>
  [[nodiscard]] P operator()(P x) const {
    return P(scale) * (x - P(centre)) + P(shift);
  }
};

template <class A>
struct ChannelAffineRelu : ChannelAffine<A> {
  template <class P>
  [[nodiscard]] P operator()(P x) const {
    return max(P(0), ChannelAffine<A>::operator()(x));
  }
};

template <class A>
struct ChannelAffineAddRelu : ChannelAffine<A> {
  template <class P>
  [[nodiscard]] P operator()(P x, P shortcut) const {
    return max(P(0), ChannelAffine<A>::operator()(x) + shortcut);
  }
};

/// scale * dr + offset + slope * (x - centre)
template <class A>
struct ChannelPull {
  A scale;
  A centre;
  A offset;
  A slope;
  template <class P>
  [[nodiscard]] P operator()(P dr, P x) const {
    return P(scale) * dr + (P(offset) + P(slope) * (x - P(centre)));
  }
};

}  // namespace recal::nn::detail
