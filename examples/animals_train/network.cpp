// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "network_modules.hpp"
#include "text.hpp"

namespace animals {

namespace {

constexpr std::array<std::pair<const char*, MakeNetwork>, 9> makers{{{"none", make_with_none},
                                                                     {"srm", make_with_srm},
                                                                     {"se", make_with_se},
                                                                     {"ge", make_with_ge},
                                                                     {"ge-theta", make_with_ge_theta},
                                                                     {"ge-theta-plus", make_with_ge_theta_plus},
                                                                     {"eca", make_with_eca},
                                                                     {"gct", make_with_gct},
                                                                     {"grn", make_with_grn}}};

constexpr std::array<std::pair<const char*, recal::nn::ResNetLayout>, 4> layouts{{{"resnet18", recal::nn::resnet18},
                                                                                  {"resnet34", recal::nn::resnet34},
                                                                                  {"resnet50", recal::nn::resnet50},
                                                                                  {"resnet101", recal::nn::resnet101}}};

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& [name, what] : table) names.emplace_back(name);
  return names;
}

}  // namespace

const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names = names_of(layouts);
  return names;
}

const std::vector<std::string>& recalibration_names() {
  static const std::vector<std::string> names = names_of(makers);
  return names;
}

recal::nn::ResNetLayout layout_of(const std::string& net) {
  for (const auto& [name, layout] : layouts)
    if (net == name) return layout;
  fail("no network is called ", net);
}

std::unique_ptr<Network> make_network(const NetworkOptions& options) {
  for (const auto& [name, make] : makers)
    if (options.recalibration == name) return make(options);
  fail("no recalibration module is called ", options.recalibration);
}

}  // namespace animals
