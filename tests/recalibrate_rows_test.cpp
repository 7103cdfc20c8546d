// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/backend.hpp>
#include <recal/backend/reference/backend.hpp>
#include <recal/recalibrate_rows.hpp>

using namespace recal;

TEST_CASE("room for the numbers of each plane") {
  RowTape tape;
  tape.resize(6, 2, 1);
  CHECK(tape.style.size() == 12);
  CHECK(tape.excitation.size() == 6);
  CHECK(tape.gate.size() == 6);
  CHECK(tape.grad_style.size() == 12);
  CHECK(tape.grad_excitation.size() == 6);
  CHECK(tape.pull.size() == 6);
}

TEST_CASE("pieces cover all items once, a piece of at least one item") {
  for (const Index count : {0, 1, 511, 512, 513, 5000})
    for (const Index rows : {0, 1, 8, 512, 100000}) {
      std::vector<int> seen(static_cast<std::size_t>(count), 0);
      const auto mark = [&](Index first, Index last) {
        for (Index i = first; i < last; ++i) ++at(seen, i);
      };
      detail::walk_pieces(Cpu{}, count, rows, mark);
      detail::walk_pieces(Reference{}, count, rows, mark);
      CHECK(seen == std::vector<int>(static_cast<std::size_t>(count), 2));
    }
}
