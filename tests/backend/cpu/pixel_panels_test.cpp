// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/pixel_panels.hpp>

#include <doctest/doctest.h>

#include <recal/core/buffer.hpp>

#include "tests/support/conv_check.hpp"

using namespace recal;

TEST_CASE("copy_panels lays out pixels panel by panel, through whole images or a part of one, changed on the way") {
  constexpr Index width = cpu::WideBlock<float>::columns;
  const recal::testing::SomeStart<float> some(5);
  struct Case {
    Index images, plane, first, last;
  };
  for (const Case& c : {Case{1, 3 * width + 7, 5, 3 * width + 1}, Case{3, 2 * width, 0, 6 * width},
                        Case{2, width + 3, width + 3, 2 * (width + 3)}})
    for (const ConvStart<float>& start : {ConvStart<float>{}, some.start()}) {
      const auto x = recal::testing::random_tensor<float>("x", {c.images, 5, 1, c.plane});
      constexpr Index first_channel = 2;
      constexpr Index channels = 3;
      const Index panels = (c.last - c.first + width - 1) / width;
      Buffer<float> found(static_cast<std::size_t>(panels * channels * width), NAN);
      cpu::copy_panels(x.view(), start, c.first, c.last, first_channel, channels, found.data());
      int wrong = 0;
      for (Index p = c.first; p < c.last; ++p)
        for (Index channel = 0; channel < channels; ++channel) {
          const float seen = x.view().plane(p / c.plane, first_channel + channel)[p % c.plane];
          const Index panel = (p - c.first) / width;
          wrong += !(at(found, (panel * channels + channel) * width + (p - c.first) % width) ==
                     (start.empty() ? seen : start.of(first_channel + channel)(seen)));
        }
      CHECK(wrong == 0);
    }
}
