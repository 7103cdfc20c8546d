// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <recal/backend/cpu/panels_on_demand.hpp>

using namespace recal;

namespace {

constexpr Index width = cpu::Block<float>::columns;

/// Weights whose numbers are all different.
std::vector<float> weights_of(const cpu::WeightShape& shape) {
  std::vector<float> weight(static_cast<std::size_t>(shape.groups * shape.outputs * shape.inputs * shape.area));
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i + 1);
  return weight;
}

/// Whether panels on demand are those that PackedWeights has, of all groups and from some steps on.
template <class OnDemand, class Pack>
void check_panels(const cpu::WeightShape& shape, Index channels, Index depth, const Pack& pack) {
  const std::vector<float> weight = weights_of(shape);
  Buffer<float> memory;
  cpu::PackedWeights<float> packed(memory);
  pack(packed, weight.data());
  const OnDemand on_demand{weight.data(), shape};
  for (Index g = 0; g < shape.groups; ++g) {
    auto group = on_demand.of_group(g);
    for (Index panel = 0; panel * width < channels; ++panel)
      for (const auto& [step, steps] : {std::pair<Index, Index>{0, depth}, {2, depth - 2}, {depth - 1, 1}}) {
        const float* expected = packed.panel(g, panel, step);
        const float* found = group.panel(panel, step, steps);
        CHECK(std::equal(found, found + steps * width, expected));
      }
  }
}

}  // namespace

TEST_CASE("panels of a product forward, as they are packed") {
  for (const Index outputs : {1, 32, 40, 100})
    for (const Index area : {1, 9}) {
      const cpu::WeightShape shape{2, outputs, 5, area};
      check_panels<cpu::PackedOnDemand<float>>(shape, outputs, 5 * area,
                                               [&](auto& packed, const float* weight) { packed.pack(weight, shape); });
    }
}

TEST_CASE("panels of a product backward with one tap, as they are turned") {
  for (const Index inputs : {1, 32, 40, 100}) {
    const cpu::WeightShape shape{2, 7, inputs, 1};
    check_panels<cpu::TurnedOnDemand<float>>(shape, inputs, 7,
                                             [&](auto& packed, const float* weight) { packed.turn(weight, shape); });
  }
}

TEST_CASE("panels are made on demand where few tiles of pixels want them") {
  const auto wanted = [](Index images, Index size) {
    const Shape shape{images, 4, size, size};
    return cpu::on_demand(cpu::PatchGrid(shape, shape, Window{}), images);
  };
  CHECK(wanted(8, 7));
  CHECK(wanted(16, 2));
  CHECK(!wanted(8, 14));
  CHECK(!wanted(16, 7));
}
