// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <span>

#include <recal/core/buffer.hpp>
#include <recal/core/error.hpp>
#include <recal/core/shape.hpp>
#include <recal/core/tensor.hpp>
#include <recal/integrate/integrate.hpp>
#include <recal/pool/style_pool.hpp>

namespace recal {

/// The position of a field that pixel i of `size` belongs to: nearest resize, floor(i * field / size).
[[nodiscard]] constexpr Index nearest(Index i, Index size, Index field) { return i * field / size; }

/// Throws unless `extent` is 0 (the whole map) or a power of two from 2 on.
inline void check_extent(Index extent) {
  const bool power_of_two = extent >= 2 && (extent & (extent - 1)) == 0;
  check(extent == 0 || power_of_two, "GE: the extent must be 0 (the whole map) or a power of two from 2 on, found ",
        extent);
}

/// The height or width of the field that extent e leaves of a map's: ceil(size / e), 1 for e = 0.
[[nodiscard]] constexpr Index field_size(Index size, Index extent) {
  return extent == 0 ? (size > 0 ? 1 : 0) : (size + extent - 1) / extent;
}

/// A field pool turns each plane into a small plane, the field, channel by channel (it may look at
/// the other samples of the channel: batch norm). The gather of GE.
///
///   using Tape = ...;
///   Shape field(const Shape& x) const;        the shape of t; errors: a map size it is not made for
///   void begin(const Shape& x, Mode, Tape&) const;
///   void infer(team, c, x, std::span<double> t) const;              t (N, h, w) of channel c
///   void forward(team, c, x, std::span<double> t, Tape&);
///   void backward(c, x, std::span<const double> dt, Tape&);         parameter gradients added
///   void pull(c, n, const Shape& x, std::span<const double> dt, const Tape&, std::span<double> add) const;
///                                             dx = gate*dy + add for plane (n, c), whose dt (h, w) it is;
///                                             K numbers assigned
///   bool uniform() const;                     whether pull gives one number for the whole plane;
///                                             then add has room for that one
template <class P>
concept FieldPool = requires(P pool, const P fixed, typename P::Tape tape, const Shape& shape, Mode mode, Index i,
                             std::span<const double> in, std::span<double> out) {
  { fixed.field(shape) } -> std::same_as<Shape>;
  { fixed.uniform() } -> std::same_as<bool>;
  fixed.begin(shape, mode, tape);
  fixed.pull(i, i, shape, in, tape, out);
};

/// A field pool that is the style pool WholeMap where its field is one number per plane (uniform()): GE's global
/// gather.
template <class P>
concept WholeMapPool = FieldPool<P> && StylePool<typename P::WholeMap>;

}  // namespace recal
