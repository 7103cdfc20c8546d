// SPDX-License-Identifier: Apache-2.0
#include <recal/se.hpp>

#include "network_impl.hpp"
#include "network_modules.hpp"

namespace animals {

std::unique_ptr<Network> make_with_se(const NetworkOptions& options) {
  return make_resnet<recal::Se<float>>(options,
                                       [seeds = ModuleSeeds(options.seed)](Index channels, Index, Index) mutable {
                                         return recal::Se<float>(channels, {.seed = seeds.next()});
                                       });
}

}  // namespace animals
