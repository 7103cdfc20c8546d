// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cuda/machine.hpp>
#include <recal/backend/cuda/planes.hpp>

namespace recal::cuda {

/// out = f(in...), elementwise, on tensors of one element type; N of them come in, 1 or 2.
template <class F, class T, int N>
struct MapKernel {
  static_assert(N == 1 || N == 2, "recal: a map has one or two inputs");

  Groups groups;
  Split split;
  F f;
  TensorView<T> out;
  TensorView<const T> in[N];

  template <class Context>
  RECAL_HOST_DEVICE void operator()(const Context& ctx) const {
    const PlaneItem<Context> item(ctx, groups, split);
    if (!item.there) return;
    const auto [n, c, row] = item.plane;
    if constexpr (N == 1)
      item.team.map_stretch(item.stretch, out.plane(n, c), f, in[0].plane(n, c));
    else
      item.team.map_stretch(item.stretch, out.plane(n, c), f, in[0].plane(n, c), in[1].plane(n, c));
  }
};

/// out = f(in...), elementwise; out may be one of the inputs. `f` is trivially copyable, takes and gives float (double
/// for tensors of double). Contiguous tensors are taken as one long plane, others plane by plane.
/// requires: equal shapes
template <Machine M, class F, class T, class... In>
void map_tensors(const M& machine, const F& f, const TensorView<T>& out, const In&... in) {
  const bool flat = out.contiguous() && (in.contiguous() && ...);
  const Shape shape = flat ? Shape{1, 1, 1, out.shape.size()} : out.shape;
  if (shape.size() == 0) return;
  const Split split = split_planes(shape.n * shape.c, shape.plane(), machine.multiprocessors());
  machine.launch({split.blocks(shape.n * shape.c), plane_threads},
                 MapKernel<F, T, static_cast<int>(sizeof...(In))>{{shape, Mixing::channels}, split, f, out, {in...}});
}

}  // namespace recal::cuda
