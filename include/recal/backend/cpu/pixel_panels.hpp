// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/block.hpp>
#include <recal/backend/cpu/planes.hpp>
#include <recal/core/pack.hpp>
#include <recal/core/tensor.hpp>
#include <recal/core/unrolled.hpp>

namespace recal::cpu {

/// Pixels [first, last) of x, counted through all images, as right operands, one panel of WideBlock<T>::columns pixels
/// after the other: row c of a panel is what `start` makes of them in channel `first_channel` + c.
/// to: for each panel `channels` rows; what the last panel has beyond `last` is not written
/// requires: no panel has pixels of two images
template <class T>
void copy_panels(const TensorView<const T>& x, const ConvStart<T>& start, Index first, Index last, Index first_channel,
                 Index channels, T* to) {
  using P = pack_for<T>;
  constexpr Index width = WideBlock<T>::columns;
  const Index plane = x.shape.plane();
  const Index ahead = 4 * x.stride_c;  // the same pixels of a later channel: no prefetcher sees that far
  start.visit([&](const auto& maps) {
    for (Index c = 0; c < channels; ++c) {
      const auto f = maps.template of<T>(first_channel + c);
      T* row = to + c * width;
      for (Index p = first; p < last; p += width, row += channels * width) {
        const Index image = p / plane;
        const T* from = x.plane(image, first_channel + c) + (p - image * plane);
        __builtin_prefetch(from + ahead);
        if (last - p >= width)
          unrolled<WideBlock<T>::packs>([&](auto j) { store(row + j * P::lanes, f(load<P>(from + j * P::lanes))); });
        else
          map(last - p, row, f, from);
      }
    }
  });
}

}  // namespace recal::cpu
