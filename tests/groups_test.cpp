// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/groups.hpp>

using recal::Groups;
using recal::Index;
using recal::Mixing;
using recal::PlaneRun;
using recal::RunRows;
using recal::Shape;

namespace {

constexpr Shape map{2, 3, 5, 7};

}  // namespace

TEST_CASE("groups are channels, or samples where channels mix; rows lie one after the other") {
  for (const Mixing mixing : {Mixing::none, Mixing::samples}) {
    const Groups groups{map, mixing};
    CHECK(groups.groups() == 3);
    CHECK(groups.rows() == 2);
    CHECK(groups.planes() == 6);
    CHECK(groups.plane(2, 1).n == 1);
    CHECK(groups.plane(2, 1).c == 2);
    CHECK(groups.plane(2, 1).row == 5);
  }
  const Groups groups{map, Mixing::channels};
  CHECK(groups.groups() == 2);
  CHECK(groups.rows() == 3);
  CHECK(groups.plane(1, 2).n == 1);
  CHECK(groups.plane(1, 2).c == 2);
  CHECK(groups.plane(1, 0).c == 0);
  CHECK(groups.plane(1, 0).row == 3);
}

TEST_CASE("where planes are groups, rows lie as planes do") {
  const Groups groups{map, Mixing::none, true};
  CHECK(groups.groups() == 6);
  CHECK(groups.rows() == 1);
  CHECK(groups.plane(5, 0).n == 1);
  CHECK(groups.plane(5, 0).c == 2);
  CHECK(groups.row(1, 2) == 5);
  CHECK(groups.rows_of({1, 1, 3})[1] == 5);
}

TEST_CASE("rows of a block of channels lie sample by sample, block after block") {
  const Groups groups{{3, 11, 1, 1}, Mixing::samples, false, 4};
  Index next = 0;
  for (const PlaneRun block : {PlaneRun{0, 0, 4}, PlaneRun{0, 4, 8}, PlaneRun{0, 8, 11}})
    for (Index n = 0; n < 3; ++n) {
      const RunRows rows = groups.rows_of({n, block.first, block.last});
      for (Index i = 0; i < block.size(); ++i, ++next) {
        CHECK(rows[i] == next);
        CHECK(groups.row(n, block.first + i) == next);
      }
    }
  recal::Buffer<double> numbers(33);
  CHECK(groups.slice<1>(numbers, 4, 8).data() == &numbers[12]);
  CHECK(groups.slice<1>(numbers, 8, 11, 12).data() == &numbers[12]);
}

TEST_CASE("memory is asked for early for small planes of large tensors that are groups by themselves") {
  const Shape large{256, 2048, 7, 7};
  CHECK(Groups{large, Mixing::none, true}.asking_early().asks_early);
  CHECK_FALSE(Groups{large, Mixing::samples}.asking_early().asks_early);
  CHECK_FALSE(Groups{{8, 2048, 7, 7}, Mixing::none, true}.asking_early().asks_early);
  CHECK_FALSE(Groups{{16, 256, 64, 64}, Mixing::none, true}.asking_early().asks_early);
}

TEST_CASE("a slice holds the rows of its groups") {
  recal::Buffer<double> numbers(12);
  for (std::size_t i = 0; i < 12; ++i) numbers[i] = static_cast<double>(i);
  const auto channel = Groups{map, Mixing::samples}.slice<2>(numbers, 1, 2);
  CHECK(channel.size() == 4);
  CHECK(channel.front() == 4);
  const auto sample = Groups{map, Mixing::channels}.slice<2>(numbers, 1, 2);
  CHECK(sample.size() == 6);
  CHECK(sample.front() == 6);
  CHECK(Groups{map, Mixing::samples}.slice<2>(numbers, 1, 3).size() == 8);
  CHECK(Groups{map, Mixing::samples}.slice<2>(numbers, 2, 3, 2).front() == 4);
}
