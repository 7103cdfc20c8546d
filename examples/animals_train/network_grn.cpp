// SPDX-License-Identifier: Apache-2.0
#include <recal/grn.hpp>

#include "network_impl.hpp"
#include "network_modules.hpp"

namespace animals {

std::unique_ptr<Network> make_with_grn(const NetworkOptions& options) {
  return make_resnet<recal::Grn<float>>(options);
}

}  // namespace animals
