// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <doctest/doctest.h>

#include "text.hpp"

namespace {

using animals::valid_utf8;

TEST_CASE("UTF-8 is told from other bytes") {
  for (const char* sound : {"", "abc", "caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\x88", "\xED\x9F\xBF"})
    CHECK(valid_utf8(sound));
  for (const char* broken : {"\xFF", "\xC3", "\xC0\x80", "\xE2\x82", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                             "\xF0\x80\x80\x80", "\x80", "a\xE2\x28\xA1"})
    CHECK_FALSE(valid_utf8(broken));
}

TEST_CASE("durations are short") {
  CHECK(animals::duration(0) == "0:00");
  CHECK(animals::duration(65.4) == "1:05");
  CHECK(animals::duration(3723) == "1:02:03");
  CHECK(animals::duration(-1) == "?");
  CHECK(animals::duration(1e300) == "?");
}

TEST_CASE("numbers and parts become text") {
  CHECK(animals::fixed(1.005, 1) == "1.0");
  CHECK(animals::text("a", 1, 'c', 2.5) == "a1c2.5");
  CHECK_THROWS_WITH_AS(animals::fail("x is ", 3), "x is 3", animals::failure);
}

}  // namespace
