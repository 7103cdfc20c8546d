// SPDX-License-Identifier: Apache-2.0
#include <recal/srm.hpp>

#include "network_impl.hpp"
#include "network_modules.hpp"

namespace animals {

std::unique_ptr<Network> make_with_srm(const NetworkOptions& options) {
  return make_resnet<recal::Srm<float>>(options);
}

}  // namespace animals
