// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

#include <recal/core/error.hpp>
#include <recal/core/shape.hpp>

namespace recal {

/// A square window that slides over planes: of a convolution or of a pooling.
struct Window {
  Index kernel = 1;
  Index stride = 1;
  Index padding = 0;

  /// floor((in + 2 padding - kernel) / stride) + 1, the positions of the window along `in` pixels;
  /// 0 or less where it does not fit.
  [[nodiscard]] constexpr Index positions(Index in) const noexcept {
    const Index room = in + 2 * padding - kernel;
    return room < 0 ? 0 : room / stride + 1;
  }

  [[nodiscard]] constexpr Index area() const noexcept { return kernel * kernel; }

  friend constexpr bool operator==(const Window&, const Window&) = default;
};

/// The positions o in [first, last) of a window at which its tap `tap`, along one axis, lies inside `size` pixels:
/// at pixel o * stride + shift.
struct TapReach {
  Index shift, first, last;

  TapReach(const Window& window, Index tap, Index size, Index positions)
      : shift(tap - window.padding),
        first(shift < 0 ? (window.stride - 1 - shift) / window.stride : 0),
        last(shift < size ? std::min(positions, (size - 1 - shift) / window.stride + 1) : 0) {}
};

/// Throws unless the window is one: kernel and stride at least 1, padding at least 0.
inline void check_window(std::string_view what, const Window& window) {
  check(window.kernel >= 1 && window.stride >= 1 && window.padding >= 0, what, " has kernel ", window.kernel,
        ", stride ", window.stride, ", padding ", window.padding, "; expected at least 1, 1, 0");
}

/// The shape of a windowed operation's output with `channels` channels. Throws where the window does not fit.
[[nodiscard]] inline Shape slide(std::string_view what, const Window& window, const Shape& x, Index channels) {
  const Shape y{x.n, channels, window.positions(x.h), window.positions(x.w)};
  check(y.h >= 1 && y.w >= 1, what, " with kernel ", window.kernel, " and padding ", window.padding,
        " does not fit its input ", x);
  return y;
}

}  // namespace recal
