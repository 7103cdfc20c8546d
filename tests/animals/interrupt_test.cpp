// SPDX-License-Identifier: Apache-2.0
#include <csignal>

#include <doctest/doctest.h>

#include "interrupt.hpp"

namespace {

TEST_CASE("the first interrupt is noted, the next one ends the program") {
  const std::atomic<bool>& flag = animals::catch_interrupts();
  CHECK_FALSE(flag.load());
  CHECK(std::raise(SIGINT) == 0);
  CHECK(flag.load());
  const bool ends_next = std::signal(SIGINT, SIG_DFL) == SIG_DFL;
  CHECK(ends_next);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace
