// SPDX-License-Identifier: Apache-2.0
#include <recal/eca.hpp>

#include "network_impl.hpp"
#include "network_modules.hpp"

namespace animals {

std::unique_ptr<Network> make_with_eca(const NetworkOptions& options) {
  return make_resnet<recal::Eca<float>>(options);
}

}  // namespace animals
