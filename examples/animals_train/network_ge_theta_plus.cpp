// SPDX-License-Identifier: Apache-2.0
#include <recal/ge.hpp>

#include "network_impl.hpp"
#include "network_modules.hpp"

namespace animals {

std::unique_ptr<Network> make_with_ge_theta_plus(const NetworkOptions& options) {
  return make_resnet<recal::GeThetaPlus<float>>(options, [seeds = ModuleSeeds(options.seed)](
                                                             Index channels, Index height, Index width) mutable {
    return recal::GeThetaPlus<float>(channels, {.gather = {.height = height, .width = width, .seed = seeds.next()}});
  });
}

}  // namespace animals
