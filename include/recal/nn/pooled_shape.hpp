// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <recal/backend/window.hpp>
#include <recal/core/error.hpp>
#include <recal/core/shape.hpp>

namespace recal::nn::detail {

/// The output's shape of a pooling. Padding of more than half a kernel would leave windows empty.
[[nodiscard]] inline Shape pooled_shape(const Window& window, const Shape& x) {
  check_window("a pooling", window);
  check(2 * window.padding <= window.kernel, "a pooling with kernel ", window.kernel, " has padding ", window.padding,
        "; at most half the kernel is allowed");
  return slide("a pooling", window, x, x.c);
}

}  // namespace recal::nn::detail
