// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/integrate/integrate.hpp>
#include <recal/core/tensor.hpp>
#include <recal/pool/field_pool.hpp>

namespace recal::cuda {

/// recal::FieldPool on a device: an object on the host that launches its own kernels and makes a view that gives each
/// pixel's share of the gradient. Numbers of the field are double and lie by channel: t (C, N, h, w).
///
///   using Tape = ...;  using View = ...;
///   Shape field(const Shape& x) const;                      errors: a map size it is not made for
///   void check_training(const Shape& x) const;              optional
///   void begin(machine, x.shape, tape) const;               room in the tape
///   void forward(machine, x, t, Pass, tape) const;
///   void backward(machine, x, dt, Pass, tape) const;        parameter gradients added; the pass that it follows
///   View view(x.shape, tape) const;
///   View::gradient(ctx, n, c, i, j) const                   dx = gate*dy + gradient, a float, at each pixel
template <class P>
concept DeviceFieldPool = requires(const P pool, const Shape& shape, typename P::Tape& tape) {
  { pool.field(shape) } -> std::same_as<Shape>;
  { pool.view(shape, tape) } -> std::same_as<typename P::View>;
  requires std::is_trivially_copyable_v<typename P::View>;
};

}  // namespace recal::cuda
