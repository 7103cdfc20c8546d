// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/lines.hpp>
#include <recal/core/scalar.hpp>

using recal::Index;
namespace cpu = recal::cpu;

static_assert(cpu::elements_per_line<float> == 16 && cpu::elements_per_line<double> == 8);
static_assert(cpu::elements_per_line<recal::half> == 32);

TEST_CASE_TEMPLATE("rows an odd number of lines apart have room and no more than two lines to spare", T, float,
                   double) {
  constexpr Index line = cpu::elements_per_line<T>;
  for (Index size = 1; size <= 10 * line; ++size) {
    const Index apart = cpu::odd_lines<T>(size);
    CHECK(apart >= size);
    CHECK(apart - size < 2 * line);
    CHECK(apart % line == 0);
    CHECK(apart / line % 2 == 1);
  }
}

TEST_CASE("asking for lines changes nothing, and may go beyond what is there") {
  const std::vector<float> before(100, 1.5F);
  std::vector<float> numbers = before;
  cpu::ask_for_lines<cpu::ToRead>(numbers.data(), 1000);
  cpu::ask_for_lines<cpu::ToReadLater>(numbers.data(), 100);
  cpu::ask_for_lines<cpu::ToWrite>(numbers.data(), 100);
  CHECK(numbers == before);
}
