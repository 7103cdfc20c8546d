// SPDX-License-Identifier: Apache-2.0
#include <recal/ge.hpp>

#include "network_impl.hpp"
#include "network_modules.hpp"

namespace animals {

std::unique_ptr<Network> make_with_ge(const NetworkOptions& options) {
  return make_resnet<recal::GeThetaMinus<float>>(options);
}

}  // namespace animals
