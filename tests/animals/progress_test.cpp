// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include <doctest/doctest.h>

#include "progress.hpp"

namespace {

using animals::Progress;

TEST_CASE("on a terminal the line is rewritten and removed at the end") {
  std::ostringstream out;
  {
    Progress progress(out, true, 1000);
    CHECK(progress.due());
    progress.show("one");
    progress.show("too soon");
  }
  CHECK(out.str() == "\rone\x1b[K\r\x1b[K");
}

TEST_CASE("elsewhere there is a line every so often") {
  std::ostringstream out;
  {
    Progress rare(out, false, 1000);
    CHECK_FALSE(rare.due());
    rare.show("not yet");
    Progress often(out, false, 0);
    often.show("one");
    often.show("two");
  }
  CHECK(out.str() == "one\ntwo\n");
}

}  // namespace
