// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/padded_rows.hpp>

#include <vector>

#include <doctest/doctest.h>

#include "tests/support/patch_check.hpp"

using namespace recal;
using recal::testing::PatchCase;

TEST_CASE("copy_run copies runs of any length and nothing beside them") {
  for (Index count = 0; count <= 70; ++count) {
    std::vector<float> from(static_cast<std::size_t>(count) + 1, 3.0F);
    std::vector<float> to(static_cast<std::size_t>(count) + 2, -1.0F);
    for (Index i = 0; i < count; ++i) at(from, i) = static_cast<float>(i);
    cpu::copy_run(count, from.data(), to.data() + 1);
    CHECK(to.front() == -1.0F);
    CHECK(to.back() == -1.0F);
    for (Index i = 0; i < count; ++i) CHECK(at(to, i + 1) == static_cast<float>(i));
  }
}

TEST_CASE("PaddedRows has every pixel that a window sees, and zeros around") {
  cpu::PaddedRows<float> rows;
  for (std::uint64_t i = 0; i < 150; ++i) {
    const PatchCase c(i);
    rows.prepare(c.grid(), c.first, c.last, c.start);
    const cpu::PatchGrid grid = c.grid();
    Index wrong = 0;
    for (Index channel = 0; channel < c.channels(); ++channel) {
      Buffer<float> copy(static_cast<std::size_t>(rows.size()), 0.0F);
      rows.copy(c.x.view(), PatchCase::first_channel + channel, copy.data());
      Index p = 0;
      for (const auto& part : rows.parts())
        for (Index pixel = part.first; pixel < part.first + part.positions; ++pixel, ++p) {
          const Index window = rows.at(part, pixel / grid.out_w, pixel % grid.out_w);
          for (Index tap = 0; tap < c.window.area(); ++tap)
            wrong += !(recal::at(copy, window + rows.tap(tap / grid.kernel_w, tap % grid.kernel_w)) ==
                       c.expected(channel, tap, p));
        }
      wrong += p != c.last - c.first;
    }
    CAPTURE(i);
    CHECK(wrong == 0);
  }
}
