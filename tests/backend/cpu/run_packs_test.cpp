// SPDX-License-Identifier: Apache-2.0
#include <recal/backend/cpu/run_packs.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/buffer.hpp>

using namespace recal;

TEST_CASE_TEMPLATE("packs cover a run and nothing else", T, float, double) {
  for (Index count = 0; count <= 70; ++count) {
    std::vector<int> seen(static_cast<std::size_t>(count));
    Index lanes = 0;
    cpu::with_pack<T>(count, [&](auto own) {
      using Own = decltype(own);
      lanes = static_cast<Index>(sizeof(Own) / sizeof(T));
      cpu::for_each_pack<Own>(count, [&](Index k) {
        REQUIRE(k >= 0);
        REQUIRE(k + lanes <= count);
        for (Index i = 0; i < lanes; ++i) ++at(seen, k + i);
      });
    });
    CAPTURE(count);
    CHECK(std::count(seen.begin(), seen.end(), 0) == 0);
    CHECK(std::accumulate(seen.begin(), seen.end(), Index{0}) < count + lanes);
  }
}

TEST_CASE_TEMPLATE("copy_run copies a run and nothing else", T, float, double) {
  for (Index count = 0; count <= 70; ++count) {
    std::vector<T> from(static_cast<std::size_t>(count));
    std::iota(from.begin(), from.end(), T{1});
    std::vector<T> to(static_cast<std::size_t>(count + 1), T{-1});
    cpu::copy_run(count, from.data(), to.data());
    CAPTURE(count);
    CHECK(std::equal(from.begin(), from.end(), to.begin()));
    CHECK(to.back() == T{-1});
  }
}

TEST_CASE_TEMPLATE("every second number is read, and none beyond the last of them", T, float, double) {
  for (Index count = pack_for<T>::lanes; count >= 1; count /= 2)
    cpu::with_pack<T>(count, [](auto own) {
      using Own = decltype(own);
      constexpr Index lanes = sizeof(Own) / sizeof(T);
      std::vector<T> from(2 * lanes - 1);  // the sanitizer sees who reads more
      std::iota(from.begin(), from.end(), T{0});
      std::vector<T> found(lanes);
      store(found.data(), cpu::load_every_second<Own>(from.data()));
      for (Index i = 0; i < lanes; ++i) CHECK(at(found, i) == static_cast<T>(2 * i));
    });
}
