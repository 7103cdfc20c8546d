// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/patches.hpp>

#include <doctest/doctest.h>

#include "tests/support/patch_check.hpp"

using namespace recal;
using recal::testing::PatchCase;

TEST_CASE("Patches gathers what the windows see, for every stride and padding") {
  cpu::Patches<float> patches;  // used again and again, as the threads do
  for (std::uint64_t i = 0; i < 150; ++i) {
    const PatchCase c(i);
    const Index count = c.last - c.first;
    const Index pitch = count + 5;
    patches.prepare(c.grid(), c.first, c.last, c.start);
    Buffer<float> found(static_cast<std::size_t>(c.channels() * c.window.area() * pitch), NAN);
    patches.gather(c.x.view(), PatchCase::first_channel, c.channels(), found.data(), pitch);
    Index wrong = 0;
    for (Index channel = 0; channel < c.channels(); ++channel)
      for (Index tap = 0; tap < c.window.area(); ++tap)
        for (Index p = 0; p < count; ++p)
          wrong += !(at(found, (channel * c.window.area() + tap) * pitch + p) == c.expected(channel, tap, p));
    CAPTURE(i);
    CHECK(wrong == 0);
  }
}
