// SPDX-License-Identifier: Apache-2.0
#include <thread>
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
