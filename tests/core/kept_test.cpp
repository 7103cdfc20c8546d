// SPDX-License-Identifier: Apache-2.0
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/kept.hpp>

using recal::Kept;

TEST_CASE("memory is kept from one use to the next") {
  using Numbers = std::vector<short>;
  const short* first = nullptr;
  {
    Kept<Numbers> numbers;
    numbers->resize(1000);
    first = numbers->data();
  }
  Kept<Numbers> again;
  again->resize(500);
  CHECK((*again).data() == first);
}

TEST_CASE("uses may nest, and every thread has its own") {
  using Numbers = std::vector<long>;
  Kept<Numbers> outer;
  outer->assign(3, 7);
  {
    Kept<Numbers> inner;
    inner->assign(3, 1);
    std::thread([] {
      Kept<Numbers> other;
      other->assign(3, 2);
    }).join();
    CHECK(*inner == Numbers{1, 1, 1});
  }
  CHECK(*outer == Numbers{7, 7, 7});
}

TEST_CASE("the memory of nested uses is kept too") {
  using Numbers = std::vector<unsigned>;
  const auto nested = [] {
    Kept<Numbers> outer;
    outer->resize(100);
    Kept<Numbers> inner;
    inner->resize(100);
    return std::pair{outer->data(), inner->data()};
  };
  const auto first = nested();
  CHECK(nested() == first);
  CHECK(first.first != first.second);
}
