// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "network.hpp"

namespace animals {

/// One maker a module, each in a file of its own: they compile at once and none needs much memory.
using MakeNetwork = std::unique_ptr<Network> (*)(const NetworkOptions&);

[[nodiscard]] std::unique_ptr<Network> make_with_none(const NetworkOptions& options);
[[nodiscard]] std::unique_ptr<Network> make_with_srm(const NetworkOptions& options);
[[nodiscard]] std::unique_ptr<Network> make_with_se(const NetworkOptions& options);
[[nodiscard]] std::unique_ptr<Network> make_with_ge(const NetworkOptions& options);
[[nodiscard]] std::unique_ptr<Network> make_with_ge_theta(const NetworkOptions& options);
[[nodiscard]] std::unique_ptr<Network> make_with_ge_theta_plus(const NetworkOptions& options);
[[nodiscard]] std::unique_ptr<Network> make_with_eca(const NetworkOptions& options);
[[nodiscard]] std::unique_ptr<Network> make_with_gct(const NetworkOptions& options);
[[nodiscard]] std::unique_ptr<Network> make_with_grn(const NetworkOptions& options);

}  // namespace animals
