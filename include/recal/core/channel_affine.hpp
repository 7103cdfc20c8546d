// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/host_device.hpp>
#include <recal/core/pack.hpp>

namespace recal {

/// scale * (x - centre) + shift; the centre is one of T's numbers, so that a large mean cancels exactly.
/// With a pack as A every lane is another channel's.
template <class A>
struct ChannelAffine {
  A scale;
  A centre;
  A shift;
  template <class P>
  [[nodiscard]] RECAL_HOST_DEVICE P operator()(P x) const {
    return multiply_add(P(scale), x - P(centre), P(shift));
  }
  template <class B>
  [[nodiscard]] RECAL_HOST_DEVICE ChannelAffine<B> as() const {
    return {static_cast<B>(scale), static_cast<B>(centre), static_cast<B>(shift)};
  }
};

template <class A>
struct ChannelAffineRelu : ChannelAffine<A> {
  template <class P>
  [[nodiscard]] RECAL_HOST_DEVICE P operator()(P x) const {
    return max(P(0), ChannelAffine<A>::operator()(x));
  }
};

}  // namespace recal
