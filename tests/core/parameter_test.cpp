// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include <doctest/doctest.h>

#include <recal/core/error.hpp>
#include <recal/core/parameter.hpp>

using recal::BasicParameter;
using recal::BasicState;

static_assert(std::is_same_v<recal::Parameter, BasicParameter<float>>);

TEST_CASE("a parameter holds the product of its sizes, its start value and zero gradients") {
  const BasicParameter<double> weight("conv.weight", {4, 3, 2, 2}, 0.25);
  CHECK(weight.name == "conv.weight");
  CHECK(weight.size() == 48);
  CHECK(weight.grad.size() == 48);
  CHECK(weight.decay);
  CHECK(weight.value.front() == 0.25);
  CHECK(weight.value.back() == 0.25);
  CHECK(weight.grad.front() == 0);
  CHECK(weight.grad.back() == 0);
}

TEST_CASE("a parameter may be kept from decay, be empty, or not be there at all") {
  CHECK_FALSE(BasicParameter<float>("bias", {3}, 0.0F, false).decay);
  CHECK(BasicParameter<float>("none", {0, 5}).size() == 0);
  CHECK(BasicParameter<float>{}.size() == 0);
}

TEST_CASE("a state holds its start value") {
  const BasicState<float> variance("running_var", 5, 1.0F);
  CHECK(variance.name == "running_var");
  CHECK(variance.shape == std::vector<recal::Index>{5});
  CHECK(variance.size() == 5);
  CHECK(variance.value.back() == 1.0F);
  CHECK(BasicState<float>("running_mean", 2).value.front() == 0.0F);
}

TEST_CASE("negative sizes are refused with the name of the array") {
  CHECK_THROWS_WITH_AS(BasicParameter<float>("weight", {3, -2}), "recal: weight has the negative size -2",
                       recal::error);
  CHECK_THROWS_WITH_AS(BasicState<float>("running_mean", -1), "recal: running_mean has the negative size -1",
                       recal::error);
}
