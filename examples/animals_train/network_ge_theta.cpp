// SPDX-License-Identifier: Apache-2.0
#include <recal/ge.hpp>

#include "network_impl.hpp"
#include "network_modules.hpp"

namespace animals {

std::unique_ptr<Network> make_with_ge_theta(const NetworkOptions& options) {
  return make_resnet<recal::GeTheta<float>>(
      options, [seeds = ModuleSeeds(options.seed)](Index channels, Index height, Index width) mutable {
        return recal::GeTheta<float>(channels, {.height = height, .width = width, .seed = seeds.next()});
      });
}

}  // namespace animals
