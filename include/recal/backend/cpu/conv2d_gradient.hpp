// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/cpu/conv2d.hpp>
#include <recal/backend/cpu/conv2d_phases.hpp>
#include <recal/backend/cpu/conv2d_weight.hpp>
#include <recal/backend/cpu/left_packs.hpp>
#include <recal/backend/cpu/packed_weights.hpp>
#include <recal/backend/cpu/panels_on_demand.hpp>
#include <recal/backend/cpu/pointwise.hpp>
#include <recal/backend/cpu/winograd_choice.hpp>
#include <recal/backend/cpu/winograd_weight_gradient.hpp>
#include <recal/core/kept.hpp>

namespace recal {

namespace cpu::detail {

/// dx as a convolution of dy with the turned kernel: for stride 1 and padding < kernel.
template <class T>
void backward_data_turned(const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx, const Window& window,
                          Index groups, const ConvFinish<T>& finish) {
  const Index inputs = dx.shape.c / groups;
  const Index outputs = dy.shape.c / groups;
  const Window turned{window.kernel, 1, window.kernel - 1 - window.padding};
  const WeightShape shape{groups, outputs, inputs, window.area()};
  if (with_winograd(turned, dx.shape, outputs, inputs, WeightUse::one_call, [&]<class W>(W) {
        Kept<Buffer<T>> memory;
        WinogradWeights<T, W> weights(*memory);
        weights.turn(weight, shape);
        multiply_all<T>(dy, weights, dx, turned, groups, finish, {});
      }))
    return;
  const PatchGrid grid(dy.shape, dx.shape, turned);
  const bool few = few_pixels(grid, dx.shape.n);
  if (few && window.kernel > 1) {
    Kept<Taps> taps;
    turn_taps(window.area(), *taps);
    const PlainWeights<T> plain{weight, window.area(), inputs * window.area(), outputs * inputs * window.area(),
                                &*taps};
    return multiply_few<T>(dy, plain, dx, grid, groups, finish, {});
  }
  if (!few && fills_panels<T>(grid)) {
    LeftPacks<T> weights;
    weights.turn(weight, shape);
    return multiply_all_columns<T>(dy, weights, dx, turned, groups, finish, {});
  }
  if (window.kernel == 1 && on_demand(grid, dx.shape.n))
    return multiply_all<T>(dy, TurnedOnDemand<T>{weight, shape}, dx, turned, groups, finish, {});
  Kept<Buffer<T>> memory;
  PackedWeights<T> weights(*memory);
  weights.turn(weight, shape);
  multiply_all<T>(dy, weights, dx, turned, groups, finish, {});
}

/// dx of a 1x1 convolution with strided or tiny planes.
template <class T>
void backward_data_laid_out(const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx,
                            const Window& window, Index groups) {
  thread_local Buffer<T> memory;
  const TensorView<T> product = laid_out({dx.shape.n, dx.shape.c, dy.shape.h, dy.shape.w}, memory);
  backward_data_turned<T>(joined_planes(dy), weight, as_rows(product), Window{}, groups, {});
  spread<T>(product, window.stride, dx);
}

/// dweight += dy * start(x)^T. The pixels of dy are turned; where a window is one pixel, those of the side that has
/// fewer channels, for then each is used more often, and those of x where pixels are few, for then sums are rows of
/// dweight.
template <class T>
void add_weight_gradient(const TensorView<const T>& x, const TensorView<const T>& dy, T* dweight, const Window& window,
                         Index groups, const ConvStart<T>& start) {
  if (wants_layout(window, dy.shape))
    return add_weight_gradient<T>(seen_pixels(x, window.stride, dy.shape, start), joined_planes(dy), dweight, Window{},
                                  groups, {});
  const PatchGrid grid(x.shape, dy.shape, window);
  const Index inputs = x.shape.c / groups;
  const Index outputs = dy.shape.c / groups;
  if (with_winograd(window, dy.shape, inputs, outputs, WeightUse::gradient,
                    [&]<class W>(W) { add_weight_gradients_winograd<T, W>(x, grid, start, dy, dweight, groups); }))
    return;
  const Index depth = inputs * window.area();
  const auto weight_of = [&](Index g) { return dweight + g * outputs * depth; };
  const auto x_of = [&](Index g) { return from_channel(x, g * inputs); };
  const TensorView<const T> joined = joined_planes(dy);
  const auto dy_of = [&](Index g) { return from_channel(joined, g * outputs); };
  constexpr Index few_pixels = 256;
  if (grid.pixelwise() && (inputs < outputs || x.shape.n * grid.positions() <= few_pixels))
    add_weight_gradients<T>(
        groups, outputs, inputs,
        [&](Index g) {
          return Sides<T>{dy_of(g), grid, {}, x_of(g), start.from_channel(g * inputs)};
        },
        [&](Index g) {
          return WeightTarget<T>{weight_of(g), depth, false};
        });
  else
    add_weight_gradients<T>(
        groups, inputs, outputs,
        [&](Index g) {
          return Sides<T>{x_of(g), grid, start.from_channel(g * inputs), dy_of(g), {}};
        },
        [&](Index g) {
          return WeightTarget<T>{weight_of(g), depth, true};
        });
}

template <class T>
void backward_bias(const TensorView<const T>& dy, T* dbias) {
  parallel_for(dy.shape.c, 1 + 16384 / (1 + dy.shape.n * dy.shape.plane()), [&](Index c) {
    double sum = 0;
    for (Index n = 0; n < dy.shape.n; ++n) {
      const T* plane = dy.plane(n, c);
      for (Index k = 0; k < dy.shape.plane(); ++k) sum += static_cast<double>(plane[k]);
    }
    dbias[c] += static_cast<T>(sum);
  });
}

}  // namespace cpu::detail

/// dx = finish(weight^T * dy), the gradient of conv2d's input; assigned. A gradient that comes another way is the
/// finish's shortcut.
/// requires: shapes that belong together; dx overlaps nothing
template <class T>
void conv2d_backward_data(const Cpu&, const TensorView<const T>& dy, const T* weight, const TensorView<T>& dx,
                          const Window& window, Index groups, const ConvFinish<T>& finish = {}) {
  if (dx.shape.size() == 0) return;
  const bool depthwise = cpu::is_depthwise(dx.shape, dy.shape, groups);
  const bool layout = cpu::wants_layout(window, dy.shape);
  if (!depthwise && !layout && window.stride == 1 && window.padding < window.kernel)
    return cpu::detail::backward_data_turned(dy, weight, dx, window, groups, finish);
  if (depthwise)
    cpu::depthwise_conv2d_backward_data(dy, weight, dx, window);
  else if (layout)
    cpu::detail::backward_data_laid_out(dy, weight, dx, window, groups);
  else
    cpu::backward_data_phased(dy, weight, dx, window, groups);
  cpu::finish_planes(finish, dx);
}

/// dweight += dy * start(x)^T and, where dbias is not null, dbias(o) += sum_{n, oy, ox} dy(n, o, oy, ox).
/// requires: shapes that belong together
/// cost: reads dy and x from cache several times, dweight once and writes it once for every Block::depth pixels
template <class T>
void conv2d_backward_weight(const Cpu&, const TensorView<const T>& x, const TensorView<const T>& dy, T* dweight,
                            T* dbias, const Window& window, Index groups, const ConvStart<T>& start = {}) {
  if (dy.shape.size() == 0) return;
  if (cpu::is_depthwise(x.shape, dy.shape, groups))
    cpu::depthwise_conv2d_backward_weight(x, dy, dweight, window, start);
  else
    cpu::detail::add_weight_gradient(x, dy, dweight, window, groups, start);
  if (dbias != nullptr) cpu::detail::backward_bias(dy, dbias);
}

}  // namespace recal
