// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <recal/core/visit.hpp>

using recal::BasicParameter;
using recal::BasicState;
using recal::Index;

namespace {

struct Norm {
  BasicParameter<double> weight{"weight", {3}, 1.0, false};
  BasicState<double> mean{"running_mean", 3};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.weight);
    v(self.mean);
  }
};

struct Block {
  BasicParameter<float> conv{"conv.weight", {3, 2, 1, 1}};
  Norm norm;
  Norm unnamed;

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    v(self.conv);
    v("bn", self.norm);
    v("", self.unnamed);
  }
};

struct Net {
  std::vector<Block> blocks{2};

  template <class Self, class V>
  static void visit(Self& self, V&& v) {
    for (std::size_t i = 0; i < self.blocks.size(); ++i) v("layer." + std::to_string(i), self.blocks[i]);
  }
};

struct Nothing {
  template <class Self, class V>
  static void visit(Self&, V&&) {}
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("leaves come in the order of declaration, with the names of all they lie in") {
  Net net;
  Names names;
  recal::for_each_leaf(net, [&](const std::string& name, const auto&) { names.push_back(name); });
  CHECK(names == Names{"layer.0.conv.weight", "layer.0.bn.weight", "layer.0.bn.running_mean", "layer.0.weight",
                       "layer.0.running_mean", "layer.1.conv.weight", "layer.1.bn.weight", "layer.1.bn.running_mean",
                       "layer.1.weight", "layer.1.running_mean"});
}

TEST_CASE("parameters and states are told apart; f may take the name or not") {
  Block block;
  Names names;
  recal::for_each_parameter(block, [&](const std::string& name, auto&) { names.push_back(name); });
  CHECK(names == Names{"conv.weight", "bn.weight", "weight"});
  names.clear();
  recal::for_each_state(block, [&](const std::string& name, auto&) { names.push_back(name); });
  CHECK(names == Names{"bn.running_mean", "running_mean"});

  Index undecayed = 0;
  recal::for_each_parameter(block, [&](const auto& parameter) { undecayed += parameter.decay ? 0 : 1; });
  CHECK(undecayed == 2);
  recal::for_each_state(block, [](auto& state) { state.value[0] = 5; });
  CHECK(block.norm.mean.value[0] == 5);
  CHECK(block.unnamed.mean.value[0] == 5);
}

TEST_CASE("a const layer gives const leaves") {
  const Block block;
  recal::for_each_leaf(block, [](const std::string&, auto& leaf) {
    static_assert(std::is_const_v<std::remove_reference_t<decltype(leaf)>>);
    CHECK(leaf.size() > 0);
  });
}

TEST_CASE("only parameters are counted") {
  CHECK(recal::parameter_count(Block{}) == 6 + 3 + 3);
  CHECK(recal::parameter_count(Net{}) == 24);
  CHECK(recal::parameter_count(Nothing{}) == 0);
}
