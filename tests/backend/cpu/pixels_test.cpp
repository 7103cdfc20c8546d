// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/pixels.hpp>

#include <doctest/doctest.h>

#include "tests/support/patch_check.hpp"

using namespace recal;
using recal::testing::PatchCase;

namespace {

/// Numbers of `pixels`, loaded in two goes, that are not what the windows see.
Index wrong_pixels(cpu::Pixels<float>& pixels, const PatchCase& c) {
  Index wrong = 0;
  const Index half = (c.channels() + 1) / 2;
  for (Index begin = 0; begin < c.channels(); begin += half) {
    const Index count = std::min(half, c.channels() - begin);
    pixels.load(PatchCase::first_channel + begin, count);
    Index next = 0;
    for (const auto& run : pixels.runs()) {
      wrong += run.first != next;
      next += run.count;
      for (Index channel = 0; channel < count; ++channel)
        for (Index tap = 0; tap < c.window.area(); ++tap)
          for (Index p = 0; p < run.count; ++p)
            wrong += !(pixels.base()[channel * pixels.channel_step() + at(pixels.taps(), tap) + run.offset +
                                     p * pixels.pixel_step()] == c.expected(begin + channel, tap, run.first + p));
    }
    wrong += next != c.last - c.first;
  }
  return wrong;
}

}  // namespace

TEST_CASE("Pixels finds what the windows see, in the image, in padded rows or in patches") {
  cpu::Pixels<float> pixels;
  for (std::uint64_t i = 0; i < 150; ++i) {
    const PatchCase c(i);
    CAPTURE(i);
    for (const Index shortest : {Index{1}, Index{7}, Index{1000}}) {
      pixels.prepare(c.x.view(), c.grid(), c.first, c.last, c.channels(), c.start, shortest);
      CHECK(wrong_pixels(pixels, c) == 0);
    }
    pixels.prepare_patches(c.x.view(), c.grid(), c.first, c.last, c.channels(), c.start);
    CHECK(pixels.runs().size() == 1);
    CHECK(wrong_pixels(pixels, c) == 0);
  }
}

TEST_CASE("pixels of windows of one pixel stay where they are, unless channels share a set of the cache") {
  cpu::Pixels<float> pixels;
  for (const auto& [size, stays] : {std::pair{Index{15}, true}, std::pair{Index{32}, false}}) {
    const Tensor<float> x(Shape{2, 3, size, size}, 1.0F);
    const cpu::PatchGrid grid(x.shape(), x.shape(), Window{});
    pixels.prepare(x.view(), grid, 0, 2 * size * size, 3);
    pixels.load(1, 2);
    CHECK((pixels.base() == x.view().plane(0, 1)) == stays);
  }
}
