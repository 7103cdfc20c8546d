// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/core/tensor.hpp>

namespace recal {

/// What a convolution does to its output while it is at hand, before anyone else reads it:
///   y = scale(o) y + shift(o) + shortcut,  then max(0, y) with `relu`
/// A bias is a shift; a batch norm with running statistics is a scale and a shift.
template <class T>
struct ConvFinish {
  const T* scale = nullptr;        ///< [O]; 1 where null
  const T* shift = nullptr;        ///< [O]; 0 where null
  TensorView<const T> shortcut{};  ///< of y's shape; nothing where its data is null
  bool relu = false;

  [[nodiscard]] bool empty() const { return scale == nullptr && shift == nullptr && shortcut.data == nullptr && !relu; }

  [[nodiscard]] T scale_of(Index o) const { return scale != nullptr ? scale[o] : T{1}; }
  [[nodiscard]] T shift_of(Index o) const { return shift != nullptr ? shift[o] : T{0}; }

  /// The same for the channels from `o` on.
  [[nodiscard]] ConvFinish from_channel(Index o) const {
    ConvFinish rest = *this;
    if (scale != nullptr) rest.scale += o;
    if (shift != nullptr) rest.shift += o;
    if (shortcut.data != nullptr) rest.shortcut = recal::from_channel(shortcut, o);
    return rest;
  }
};

}  // namespace recal
