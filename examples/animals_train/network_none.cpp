// SPDX-License-Identifier: Apache-2.0
#include <recal/nn/no_module.hpp>

#include "network_impl.hpp"
#include "network_modules.hpp"

namespace animals {

std::unique_ptr<Network> make_with_none(const NetworkOptions& options) {
  return make_resnet<recal::nn::NoModule>(options);
}

}  // namespace animals
