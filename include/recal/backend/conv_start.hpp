// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/channel_affine.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/shape.hpp>

namespace recal {

/// A start that leaves x as it is, for code that is written for both.
struct NoStart {
  struct Map {
    template <class A>
    [[nodiscard]] A operator()(A x) const {
      return x;
    }
  };
  template <class A>
  [[nodiscard]] Map of(Index) const {
    return {};
  }
};

/// What a convolution does to its input while it reads it, before it multiplies:
///   x -> max(0, scale(i) (x - centre(i)) + shift(i))
/// A batch norm with ReLU before a convolution is one; so what the convolution works on is never in memory. The zeros
/// around x are put there afterwards: they stay 0. Max pooling takes one too.
template <class T>
struct ConvStart {
  const T* scale = nullptr;   ///< [I]; all three, or null: x as it is
  const T* centre = nullptr;  ///< [I]
  const T* shift = nullptr;   ///< [I]

  [[nodiscard]] bool empty() const { return scale == nullptr; }

  /// The map of channel i in arithmetic of A; with a pack as A, those of as many channels from i on, one a lane.
  /// requires: not empty
  template <class A = T>
  [[nodiscard]] ChannelAffineRelu<A> of(Index i) const {
    return {{load<A>(scale + i), load<A>(centre + i), load<A>(shift + i)}};
  }

  /// f(this start), or f(NoStart{}) where it is empty: decided once, outside of loops.
  template <class F>
  void visit(const F& f) const {
    empty() ? f(NoStart{}) : f(*this);
  }

  /// The same for the channels from `i` on.
  [[nodiscard]] ConvStart from_channel(Index i) const {
    return empty() ? ConvStart{} : ConvStart{scale + i, centre + i, shift + i};
  }
};

}  // namespace recal
