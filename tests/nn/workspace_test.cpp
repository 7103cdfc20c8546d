// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/nn/workspace.hpp>

namespace {

TEST_CASE("a workspace keeps its memory when a smaller block follows a larger one") {
  recal::nn::Workspace<float> work;
  work.current.resize({2, 8, 7, 7});
  const float* memory = work.current.data();
  work.current.resize({2, 8, 3, 3});
  work.current.resize({2, 8, 7, 7});
  CHECK(work.current.data() == memory);
  CHECK(work.next.size() == 0);
}

}  // namespace
