// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/patches.hpp>

#include <doctest/doctest.h>

#include "tests/support/random_tensor.hpp"

using namespace recal;

namespace {

const float patch_scales[] = {1.5F, -2.0F, 0.5F, 3.0F};
const float patch_centres[] = {0.25F, 0.5F, -0.125F, 0.0F};
const float patch_shifts[] = {0.0F, 0.5F, 0.25F, -1.0F};
const ConvStart<float> patch_start{patch_scales, patch_centres, patch_shifts};

/// What the definition says about patch row (c, ky, kx) at output pixel p of all images; 0 past the last pixel.
float expected_patch(const Tensor<float>& x, const Shape& out, const Window& window, Index p, Index last, Index c,
                     Index ky, Index kx, const ConvStart<float>& start) {
  if (p >= last) return 0.0F;
  const Index n = p / out.plane();
  const Index y = p % out.plane() / out.w * window.stride + ky - window.padding;
  const Index z = p % out.w * window.stride + kx - window.padding;
  const bool inside = y >= 0 && y < x.shape().h && z >= 0 && z < x.shape().w;
  if (!inside) return 0.0F;
  return start.empty() ? x(n, c, y, z) : start.of(c)(x(n, c, y, z));
}

}  // namespace

TEST_CASE("Patches gathers what the windows see, in panels, for every stride and padding") {
  cpu::Patches<float> patches;  // used again and again, as the threads do
  for (std::uint64_t i = 0; i < 150; ++i) {
    const auto any = [&](std::string_view name, Index low, Index high) {
      return recal::testing::random_index(name, i, low, high);
    };
    const Window window{any("kernel", 1, 5), any("stride", 1, 3), any("padding", 0, 3)};
    const Shape in{any("n", 1, 4), any("c", 2, 4), any("h", 5, 17), any("w", 5, 90)};
    const Shape out{in.n, 1, window.positions(in.h), window.positions(in.w)};
    const auto x = recal::testing::random_tensor<float>("x", in);
    const Index first = any("first", 0, in.n * out.plane() - 1);
    const Index last = any("last", first + 1, in.n * out.plane());
    const Index width = 16 * any("width", 1, 6);
    constexpr Index first_channel = 1;
    const Index channels = in.c - 1;
    const ConvStart<float> start = i % 2 == 0 ? ConvStart<float>{} : patch_start;

    patches.prepare(cpu::PatchGrid(in, out, window), first, last, width, start);
    CHECK(patches.panels() == (last - first + width - 1) / width);
    const Index rows = channels * window.area();
    Buffer<float> found(static_cast<std::size_t>(patches.panels() * rows * width), NAN);
    patches.gather(x.view(), first_channel, channels, found.data());

    Index wrong = 0;
    for (Index panel = 0; panel < patches.panels(); ++panel)
      for (Index row = 0; row < rows; ++row)
        for (Index column = 0; column < width; ++column) {
          const Index tap = row % window.area();
          const float expected =
              expected_patch(x, out, window, first + panel * width + column, last, first_channel + row / window.area(),
                             tap / window.kernel, tap % window.kernel, start);
          wrong += !(at(found, (panel * rows + row) * width + column) == expected);
        }
    CAPTURE(window.kernel);
    CAPTURE(window.stride);
    CAPTURE(window.padding);
    CHECK(wrong == 0);
  }
}
