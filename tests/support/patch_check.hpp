// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include <recal/backend/conv_start.hpp>
#include <recal/backend/cpu/patch_grid.hpp>
#include <recal/core/tensor.hpp>

#include "tests/support/random_tensor.hpp"

namespace recal::testing {

/// The i-th of a series of windows over images, some output pixels of them, and what the definition says that they see.
struct PatchCase {
  static constexpr Index first_channel = 1;
  static constexpr float scales[] = {1.5F, -2.0F, 0.5F, 3.0F};
  static constexpr float centres[] = {0.25F, 0.5F, -0.125F, 0.0F};
  static constexpr float shifts[] = {0.0F, 0.5F, 0.25F, -1.0F};

  Window window;
  Shape in;
  Shape out;
  Tensor<float> x;
  Index first;
  Index last;
  ConvStart<float> start;

  explicit PatchCase(std::uint64_t i) {
    const auto any = [i](std::string_view name, Index low, Index high) { return random_index(name, i, low, high); };
    static constexpr Index kernels[] = {1, 1, 2, 3, 3, 5};
    window = {kernels[any("kernel", 0, 5)], any("stride", 1, 3), any("padding", 0, 3)};
    if (i % 3 == 0) window = {window.kernel, 1, window.kernel / 2};
    in = {any("n", 1, 4), any("c", 2, 4), any("h", 5, 17), any("w", 5, 40)};
    out = {in.n, 1, window.positions(in.h), window.positions(in.w)};
    x = random_tensor<float>("x", in);
    first = any("first", 0, in.n * out.plane() - 1);
    last = any("last", first + 1, in.n * out.plane());
    if (i % 2 != 0) start = {scales, centres, shifts};
  }

  [[nodiscard]] cpu::PatchGrid grid() const { return {in, out, window}; }
  [[nodiscard]] Index channels() const { return in.c - first_channel; }

  /// Tap `tap` of channel first_channel + c at the p-th output pixel.
  [[nodiscard]] float expected(Index c, Index tap, Index p) const {
    const Index pixel = first + p;
    const Index n = pixel / out.plane();
    const Index h = pixel % out.plane() / out.w * window.stride + tap / window.kernel - window.padding;
    const Index w = pixel % out.w * window.stride + tap % window.kernel - window.padding;
    if (h < 0 || h >= in.h || w < 0 || w >= in.w) return 0.0F;
    const float seen = x(n, first_channel + c, h, w);
    return start.empty() ? seen : start.of(first_channel + c)(seen);
  }
};

}  // namespace recal::testing
