// SPDX-License-Identifier: Apache-2.0
#include <recal/gct.hpp>

#include "network_impl.hpp"
#include "network_modules.hpp"

namespace animals {

std::unique_ptr<Network> make_with_gct(const NetworkOptions& options) {
  return make_resnet<recal::Gct<float>>(options);
}

}  // namespace animals
