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

}  // namespace

const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names{"resnet18", "resnet34", "resnet50", "resnet101"};
  return names;
}

const std::vector<std::string>& recalibration_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, make] : makers) all.emplace_back(name);
    return all;
  }();
  return names;
}

std::unique_ptr<Network> make_network(const NetworkOptions& options) {
  for (const auto& [name, make] : makers)
    if (options.recalibration == name) return make(options);
  fail("no recalibration module is called ", options.recalibration);
}

}  // namespace animals
