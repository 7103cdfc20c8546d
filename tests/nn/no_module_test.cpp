// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include <doctest/doctest.h>

#include <recal/core/visit.hpp>
#include <recal/nn/no_module.hpp>

namespace {

struct AnyModule {};

TEST_CASE("no module costs nothing and is recognised") {
  using recal::nn::NoModule;
  static_assert(std::is_empty_v<NoModule>);
  static_assert(std::is_empty_v<NoModule::Tape>);
  static_assert(!recal::nn::has_module<NoModule>);
  static_assert(recal::nn::has_module<AnyModule>);
  CHECK(recal::parameter_count(NoModule(64)) == 0);
  CHECK(NoModule::checkpoint_name.empty());
}

}  // namespace
