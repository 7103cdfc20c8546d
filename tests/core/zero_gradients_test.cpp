// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <recal/core/zero_gradients.hpp>

using recal::BasicParameter;
using recal::Index;

namespace {

struct Pair {
  BasicParameter<float> first{"first", {3, 2}, 2.0F};
  BasicParameter<float> second{"second", {5}, 2.0F};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.first);
    v(self.second);
  }
};

struct Single {
  BasicParameter<float> weight;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
  }
};

}  // namespace

TEST_CASE("zero_gradients clears gradients and nothing else") {
  Pair layer;
  recal::for_each_parameter(layer, [](auto& parameter) { parameter.grad.assign(parameter.value.size(), 3); });
  recal::zero_gradients(layer);
  recal::for_each_parameter(layer, [](const std::string& name, const auto& parameter) {
    CHECK_MESSAGE(parameter.grad.size() == parameter.value.size(), name);
    for (const auto value : parameter.grad) CHECK_MESSAGE(value == 0, name);
    for (const auto value : parameter.value) CHECK_MESSAGE(value == 2, name);
  });
}

TEST_CASE("zero_gradients clears arrays of any length to their end") {
  for (const Index count : {Index{0}, Index{1} << 16U, (Index{1} << 17U) + 3}) {
    Single layer{{"weight", {count}}};
    layer.weight.grad.assign(layer.weight.grad.size(), 3);
    recal::zero_gradients(layer);
    CHECK(layer.weight.grad == recal::Buffer<float>(static_cast<std::size_t>(count), 0.0F));
  }
}
