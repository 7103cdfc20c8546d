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

/// What stands beside the name. Throws failure, "no <what> is called <name>", where it is not in the table.
template <class Table>
const auto& find(const Table& table, const std::string& name, const char* what) {
  for (const auto& entry : table)
    if (name == entry.first) return entry.second;
  fail("no ", what, " is called ", name);
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

recal::nn::ResNetLayout layout_of(const std::string& net) { return find(layouts, net, "network"); }

std::unique_ptr<Network> make_network(const NetworkOptions& options) {
  return find(makers, options.recalibration, "recalibration module")(options);
}

}  // namespace animals
